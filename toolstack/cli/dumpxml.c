/* dumpxml: a domain's description, as create would take it again. */
#include "cli.h"

#include <stdlib.h>

#include <report/dumpxml.h>

int verb_dumpxml(struct cli *cli, int argc, char **argv)
{
    const struct entry *e = cli_domain(cli, argv[1]);
    char *text;

    (void)argc;
    if (!e)
        return -1;
    text = dumpxml_text(e->config, e->domid == DOMID_INVALID ? 0 : e->domid);
    if (!text)
        return cli_error("not enough memory");
    cli_print("%s", text);
    free(text);
    return 0;
}
