/* destroy: ends a domain at once. */
#include "cli.h"

int verb_destroy(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_domain(cli, argv[1]);

    (void)argc;
    if (!e)
        return -1;
    if (!entry_is_active(e))
        return cli_error("domain %s is not running: it is %s", e->config->name, cli_state(e));
    if (e->service)
        return cli_error("%s serves all domains: `poweroff` ends it with the host",
                         e->config->name);
    supervise_stop(cli->supervise, e, NEXT_STOP);
    if (!cli_wait(cli, cli_is_gone, e, CLI_VERB_TIME))
        return cli_error("domain %s is still being destroyed", e->config->name);
    cli_print("Domain %s destroyed\n", e->config->name);
    return 0;
}
