/* How often a domain may come back: restarts in a time that slides, and the pause before each. */
#include "budget.h"

#include <string.h>

#define SECOND 1000000000ull
#define MS     1000000ull

/* Restarts that lie so far back that they no longer count. */
static void forget_old(struct budget *b, uint64_t per, uint64_t now)
{
    unsigned old = 0;

    while (old < b->count && b->taken[old] + per <= now)
        old++;
    b->count -= old;
    memmove(b->taken, b->taken + old, b->count * sizeof(b->taken[0]));
}

bool budget_take(struct budget *b, const struct config_restart *limits, uint64_t now,
                 uint64_t *when)
{
    forget_old(b, limits->per_s * SECOND, now);
    if (b->count >= limits->budget || b->count == CONFIG_BUDGET_MAX)
        return false;
    *when = now + b->count * (limits->backoff_ms * MS);
    b->taken[b->count++] = *when;
    return true;
}

void budget_clear(struct budget *b)
{
    b->count = 0;
}
