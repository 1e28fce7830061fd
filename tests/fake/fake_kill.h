/* Kills a domain of the pretend machine at any of its stores to shared memory, or of its calls. */
#ifndef FAKE_KILL_H
#define FAKE_KILL_H

#include <shm.h>

#include "fake_hv.h"

struct fake_kill {
    domid_t domid;
    unsigned stores_left;
    jmp_buf where;
};
static struct fake_kill fake_kill;

static inline void fake_kill_count(void *context, void *shared, size_t len)
{
    (void)context;
    (void)shared;
    (void)len;
    if (fake_current() == fake_kill.domid && fake_kill.stores_left-- == 0) {
        shm_hook_set(NULL);
        longjmp(fake_kill.where, 1);
    }
}

/* Runs until the domain's store number n (from 0), or its call; whether it came to that. */
static inline bool fake_kill_in(void (*run)(void), domid_t domid, unsigned n, bool at_call)
{
    static const struct shm_hook hook = {.before_write = fake_kill_count};

    fake_kill.domid = domid;
    fake_kill.stores_left = n;
    if (setjmp(fake_kill.where) != 0)
        return true;
    if (at_call)
        fake_stop_at(domid, fake_effects(domid) + n + 1, &fake_kill.where);
    else
        shm_hook_set(&hook);
    run();
    shm_hook_set(NULL);
    fake_stop_at(domid, 0, NULL);
    return false;
}

#endif
