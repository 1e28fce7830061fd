/*
 * Kills a domain of the pretend machine at any of its effects, all counted
 * together: stores to shared memory, hypercalls, and what the test calls one
 * (device registers). Others may act before each, as if on another CPU. To be
 * included by one file of a test program.
 */
#ifndef FAKE_STEPS_H
#define FAKE_STEPS_H

#include <string.h>

#include <shm.h>

#include "fake_hv.h"

#define STEPS_TEAR_MAX 256u /* longer copies are whole or not there */

static struct {
    domid_t domid;
    bool off; /* others act, or nobody is to be killed */
    void (*others)(void);
    jmp_buf where;
    /* The last store of several words, what was there before it, and its number. */
    uint8_t *copy;
    size_t len;
    uint8_t was[STEPS_TEAR_MAX];
    unsigned number;
} steps;

static inline bool steps_is_theirs(void)
{
    return !steps.off && fake_current() == steps.domid;
}

/* One effect: it may be the last, and then does not happen. */
static inline void steps_effect(void)
{
    if (!steps_is_theirs())
        return;
    fake_effect();
    if (!steps.others)
        return;
    steps.off = true;
    steps.others();
    steps.off = false;
    (void)fake_enter(steps.domid);
}

static inline void steps_store(void *context, void *shared, size_t len)
{
    (void)context;
    if (!steps_is_theirs())
        return;
    steps_effect();
    steps.number = fake_effects(steps.domid);
    steps.copy = len > 8 && len <= STEPS_TEAR_MAX ? shared : NULL;
    steps.len = len;
    if (steps.copy)
        memcpy(steps.was, shared, len);
}

/* How many words the last store had, if it died right behind it; 0: that was none of several. */
static inline size_t steps_tearable(void)
{
    return steps.copy && steps.number + 1 == fake_effects(steps.domid) ? (steps.len + 7) / 8 : 0;
}

/*
 * It died at the effect right behind a store of several words: then only those
 * words of it were stored that the mask has no bit for.
 */
static inline void steps_tear(uint64_t mask)
{
    for (size_t at = 0; steps_tearable() && at < steps.len; at += 8)
        if (mask >> (at / 8 % 64) & 1)
            memcpy(steps.copy + at, steps.was + at, steps.len - at < 8 ? steps.len - at : 8);
}

/* Runs a life until its effect number n (from 1; 0: to its end); whether it was killed. */
static inline bool steps_run(void (*life)(void), domid_t domid, unsigned n)
{
    static const struct shm_hook hook = {.before_write = steps_store};
    bool killed;

    steps.domid = domid;
    steps.off = false;
    steps.copy = NULL;
    fake_stop_at(domid, n ? fake_effects(domid) + n : 0, n ? &steps.where : NULL);
    shm_hook_set(&hook);
    (void)fake_enter(domid);
    killed = setjmp(steps.where) != 0;
    if (!killed)
        life();
    steps.off = true;
    shm_hook_set(NULL);
    fake_stop_at(domid, 0, NULL);
    return killed;
}

#endif
