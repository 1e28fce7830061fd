/*
 * How often the control domain may come back. Until it has said where its ring with
 * the store is there is nothing that its next life could find, and its end is the
 * host's.
 */
#include <arch/clock.h>

#include "domain/domain.h"
#include "domain/first.h"

#define DEATHS_MAX 5u
#define DEATHS_NS  10000000000u

struct first_lives first_lives;

static uint64_t died[DEATHS_MAX]; /* when the last ones ended */

bool first_may_return(const struct domain *d, uint8_t code)
{
    struct first_lives *l = &first_lives;
    uint64_t now = clock_now();
    uint64_t *oldest = &died[l->ended % DEATHS_MAX];

    if (d->param[HVM_PARAM_STORE_EVTCHN] == 0)
        return false;
    if (l->ended >= DEATHS_MAX && now - *oldest < DEATHS_NS) {
        console_log("the control domain died %u times in 10 s", DEATHS_MAX + 1);
        return false;
    }
    *oldest = now;
    l->ended++;
    l->code = code;
    l->due = true;
    return true;
}
