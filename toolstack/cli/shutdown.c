/* shutdown and reboot: ask a guest, which may or may not do it. */
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
