/* shutdown and reboot: ask a guest, which may or may not do it. restart: who serves others, now. */
#include "cli.h"

#include <errno.h>
#include <string.h>

static int ask(struct cli *cli, const char *name, const char *what, const char *done)
{
    struct entry *e = cli_live_domain(cli, name);
    int rc;

    if (!e)
        return -1;
    rc = cli_ask(cli, e, what);
    if (rc == -ENODEV)
        return cli_error("domain %s does not listen to such requests: `destroy` stops it at once",
                         e->config->name);
    if (rc < 0)
        return cli_error("the store refused the request: %s", strerror(-rc));
    cli_print("Domain %s is being %s\n", e->config->name, done);
    return 0;
}

int verb_shutdown(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return ask(cli, argv[1], "poweroff", "shut down");
}

int verb_reboot(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return ask(cli, argv[1], "reboot", "rebooted");
}

int verb_restart(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_domain(cli, argv[1]);

    (void)argc;
    if (!e)
        return -1;
    if (e->phase != ENTRY_LIVE)
        return cli_error("domain %s is not running: it is %s", e->config->name, cli_state(e));
    if (!e->dead && handover_is_for(cli->supervise, e))
        return handover_begin(cli->supervise, e) ? 0 : -1;
    if (!renew_is_possible(e))
        return cli_error("domain %s does not start anew in place, only who serves others does: "
                         "`reboot` asks it, `destroy` and `create` begin it anew",
                         e->config->name);
    return renew_on_demand(cli->supervise, e) ? 0 : -1;
}

int verb_upgrade(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_live_domain(cli, argv[1]);

    (void)argc;
    if (!e)
        return -1;
    if (e->service || !renew_is_possible(e))
        return cli_error("domain %s is no driver domain of ours: only those go on with another "
                         "image",
                         e->config->name);
    return upgrade(cli->supervise, e, argv[2]) ? 0 : -1;
}
