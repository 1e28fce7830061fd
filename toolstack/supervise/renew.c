/*
 * A driver domain that died comes back in place: the same id, a clean image, and
 * the front ends that it served, which its next life adopts. They see a pause.
 */
#include "supervise.h"

#include <string.h>

#include <abi/control.h>
#include <build/nodes.h>
#include <hcall.h>
#include <rt/clock.h>

#define SECOND 1000000000ull
#define MS     1000000ull

/* So many lives in a row may be shorter than this; then it is broken, and stays down. */
#define SHORT_LIVES 10u
#define SHORT_LIFE  SECOND

bool renew_is_possible(const struct entry *e)
{
    return e->phase == ENTRY_LIVE && config_announces(e->config);
}

static bool is_worth_it(struct entry *e)
{
    e->short_lives = clock_now() - e->started < SHORT_LIFE ? e->short_lives + 1 : 0;
    return e->short_lives <= SHORT_LIVES;
}

bool renew(struct supervise *s, struct entry *e)
{
    uint64_t from = clock_now();
    struct build_order order = entry_order(s, e);
    static struct build b;
    int rc;

    if (!is_worth_it(e)) {
        entry_complain(s, e, e->config->line,
                       "%s died %u times in a row within %llu s of its start: destroy it, find out "
                       "why, and start it again",
                       e->config->name, e->short_lives, SHORT_LIFE / SECOND);
        return false;
    }
    rc = build_renew(&b, &order, e->domid, entry_command_line(e->config));
    if (rc == 0 && (rc = nodes_renew(s->store, &order, e->domid)) != 0)
        entry_complain(s, e, e->config->line, "the store refused the domain's next life: %s",
                       strerror(-rc));
    else if (rc != 0)
        entry_complain(s, e, b.error.line, "%s", b.error.text);
    build_close(&b, false);
    if (rc != 0 || !entry_unpause(s, e))
        return false;
    supervise_say("%s: started again in place (id %u) in %llu.%llu ms", e->config->name, e->domid,
                  (e->started - from) / MS, (e->started - from) / (MS / 10) % 10);
    return true;
}
