/* help: the verbs, printed from their table. */
#include "cli.h"

int verb_help(struct cli *cli, int argc, char **argv)
{
    const struct verb *v;

    (void)cli;
    if (argc > 1) {
        v = verb_find(argv[1]);
        if (!v)
            return cli_error("unknown verb %s: `help` lists them", argv[1]);
        cli_print("%s %s\n  %s.\n", v->name, v->args, v->what);
        if (v->more[0])
            cli_print("  %s\n", v->more);
        return 0;
    }
    for (size_t i = 0; i < verb_count; i++)
        cli_print("  %-10s %s\n", verbs[i].name, verbs[i].what);
    cli_print("`help VERB` says more.\n");
    return 0;
}
