/* How often a domain may come back: restarts in a time that slides, and the pause before each. */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include <config/config.h>

struct budget {
    uint64_t taken[CONFIG_BUDGET_MAX]; /* when the last restarts were, the oldest first */
    unsigned count;
};

/*
 * For a domain that has died now (ns): when it is to start again. The first
 * restart of a time is at once, each later one waits longer. False: there were
 * too many.
 */
bool budget_take(struct budget *b, const struct config_restart *limits, uint64_t now,
                 uint64_t *when);

/* All that was is forgiven. */
void budget_clear(struct budget *b);

#endif
