/* suspend and resume: stop a domain's vCPUs for a while; inject-nmi: what they cannot ignore. */
#include "cli.h"

#include <string.h>

#include <abi/control.h>

static int control(struct cli *cli, const char *name, uint32_t command, const char *done)
{
    struct entry *e = cli_live_domain(cli, name);
    bool paused;
    int rc;

    if (!e)
        return -1;
    if (e->service)
        return cli_error("%s serves all domains: it must run", e->config->name);
    paused = strcmp(cli_state(e), "paused") == 0;
    if (paused == (command == XEN_DOMCTL_pausedomain))
        return cli_error("domain %s is %s already", e->config->name, cli_state(e));
    rc = domain_command(e->domid, command);
    if (rc < 0)
        return cli_error("the core refused: %s", strerror(-rc));
    cli_print("Domain %s %s\n", e->config->name, done);
    return 0;
}

int verb_suspend(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return control(cli, argv[1], XEN_DOMCTL_pausedomain, "suspended");
}

int verb_resume(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return control(cli, argv[1], XEN_DOMCTL_unpausedomain, "resumed");
}

int verb_inject_nmi(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_live_domain(cli, argv[1]);
    int rc;

    (void)argc;
    if (!e)
        return -1;
    rc = domain_command(e->domid, XEN_DOMCTL_sendtrigger);
    if (rc < 0)
        return cli_error("the core refused: %s", strerror(-rc));
    cli_print("An NMI went to domain %s\n", e->config->name);
    return 0;
}
