/*
 * A store that dies or hangs while we wait for its answer is started anew by nobody
 * but us, so it is looked at before each sleep, and no sleep is longer than to the
 * next look that it is due; others' deaths are noted for later. Nothing else is done
 * in here: who waits may be in the middle of anything.
 */
#include "await.h"

#include <rt/event.h>

bool await_store(struct await *a, evtchn_port_t port, uint64_t deadline)
{
    const struct entry *e = a->entry;

    for (;;) {
        /* What a look at the table began with is old by now. */
        supervise_unlist(a->supervise);
        (void)live_step(a->supervise, a->entry);
        if (e->dead)
            return false;

        /* One that has died often comes back later; one that runs is watched. */
        uint64_t due = entry_due(e);
        uint64_t until = due < deadline ? due : deadline;
        evtchn_port_t got = event_wait_either(port, a->deaths, until);

        if (got == port)
            return true;
        if (got == EVENT_NONE && until == deadline)
            return false;
        a->heard |= got == a->deaths;
    }
}
