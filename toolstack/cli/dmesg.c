/* dmesg: the core's log, from its oldest line on. */
#include "cli.h"

#include <string.h>

#include <abi/control.h>
#include <hcall.h>

int verb_dmesg(struct cli *cli, int argc, char **argv)
{
    static char text[1024];
    uint32_t index = 0;

    (void)cli, (void)argc, (void)argv;
    for (bool first = true;; first = false) {
        struct xen_sysctl op;
        int rc;

        memset(&op, 0, sizeof(op));
        op.cmd = XEN_SYSCTL_readconsole;
        op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        op.u.readconsole.incremental = !first;
        op.u.readconsole.index = index;
        op.u.readconsole.count = sizeof(text);
        set_xen_guest_handle(op.u.readconsole.buffer, text);
        rc = hcall_control_log(&op);
        if (rc < 0)
            return cli_error("the core refused: %s", strerror(-rc));
        if (op.u.readconsole.count == 0 || op.u.readconsole.count > sizeof(text))
            return 0;
        cli_print("%.*s", (int)op.u.readconsole.count, text);
        index = op.u.readconsole.index;
    }
}
