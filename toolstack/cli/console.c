/* console: what is typed goes to a domain until ^]. */
#include "cli.h"

#include <string.h>

#include <abi/bulkhead.h>
#include <hcall.h>

int verb_console(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_domain(cli, argv[1]);
    struct bulkhead_console_attach attach = {0};
    int rc;

    (void)argc;
    if (!e)
        return -1;
    if (e->domid == DOMID_INVALID)
        return cli_error("domain %s is not running: it is %s", e->config->name, cli_state(e));
    if (e->service)
        return cli_error("%s has no console: its lines are in `dmesg`", e->config->name);
    cli_print("Connected to domain %s\nEscape character is ^]\n", e->config->name);
    attach.domid = e->domid;
    rc = hcall_console_attach(&attach);
    if (rc < 0)
        return cli_error("the core refused: %s", strerror(-rc));
    cli->attached = true;
    return 0;
}
