/* poweroff: the guests first, then the host. */
#include "cli.h"

#include <rt/clock.h>

/* So long guests may take to shut down. */
#define LEAVE_TIME (60ull * 1000000000)

int verb_poweroff(struct cli *cli, int argc, char **argv)
{
    struct supervise *s = cli->supervise;
    bool now = cli_flag(&argc, argv, "--now");
    unsigned asked = 0;

    if (argc > 1)
        return cli_usage("poweroff", argv[1]);
    for (size_t i = 0; !now && i < s->count; i++) {
        struct entry *e = s->entries[i];

        /* Guests need their driver domains to the end, and those have nothing to save. */
        if (entry_is_guest(e) && e->phase == ENTRY_LIVE && !e->dead &&
            cli_ask(cli, e, "poweroff") >= 0)
            asked++;
    }
    /* From now on nothing that stops is started again. */
    s->leaving = true;
    cli->leaving = true;
    cli->leave_time = asked > 0 ? clock_now() + LEAVE_TIME : 0;
    if (asked > 0)
        cli_print("Waiting for %u domain%s to shut down\n", asked, asked == 1 ? "" : "s");
    return 0;
}
