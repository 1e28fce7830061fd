/* poweroff: the guests first, then the host. */
#include "cli.h"

#include <rt/clock.h>
#include <supervise/record.h>

/* So long guests may take to shut down. */
#define LEAVE_TIME (60ull * 1000000000)

/* Whether somebody who was asked, or will be, still needs what this domain serves. */
static bool has_users(const struct supervise *s, const struct entry *e)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *user = s->entries[i];

        if (!entry_is_guest(user) || (user->phase != ENTRY_LIVE && user->phase != ENTRY_CLOSING) ||
            user->dead || user->asked == ENTRY_DEAF)
            continue;
        for (size_t n = 0; n < config_served_count(user->config); n++)
            if (config_served(user->config, n)->backend == e->config)
                return true;
    }
    return false;
}

unsigned cli_leave(struct cli *cli)
{
    struct supervise *s = cli->supervise;
    unsigned asked = 0;
    bool again;

    /* One that does not listen may have been the last user of one that does. */
    do {
        again = false;
        for (size_t i = 0; i < s->count; i++) {
            struct entry *e = s->entries[i];

            /* Driver domains have nothing to save, and are needed to the end. */
            if (!entry_is_guest(e) || e->phase != ENTRY_LIVE || e->dead ||
                e->asked != ENTRY_NOT_ASKED || has_users(s, e))
                continue;
            e->asked = cli_ask(cli, e, "poweroff") >= 0 ? ENTRY_ASKED : ENTRY_DEAF;
            asked += e->asked == ENTRY_ASKED;
            again = true;
        }
    } while (again);
    return asked;
}

int verb_poweroff(struct cli *cli, int argc, char **argv)
{
    struct supervise *s = cli->supervise;
    bool now = cli_flag(&argc, argv, "--now");
    unsigned asked;

    if (argc > 1)
        return cli_usage("poweroff", argv[1]);
    asked = now ? 0 : cli_leave(cli);
    /* From now on nothing that stops is started again. */
    s->leaving = true;
    cli->leaving = true;
    cli->leave_time = asked > 0 ? clock_now() + LEAVE_TIME : 0;
    record_leave(s, cli->leave_time);
    if (asked > 0)
        cli_print("Waiting for %u domain%s to shut down\n", asked, asked == 1 ? "" : "s");
    return 0;
}
