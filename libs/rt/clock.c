/* The PV clock: the time of a TSC reading plus the scaled ticks since. */
#include <rt/clock.h>

#include <abi/event.h>

#include "cpu.h"
#include "internal.h"

#define SECOND 1000000000ull

static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)((unsigned __int128)ticks * mul >> 32);
}

uint64_t clock_now(void)
{
    static uint64_t last;
    const volatile struct vcpu_time_info *t = &event_shared->vcpu_info[0].time;
    uint64_t now;
    uint32_t version;

    /* The version is odd while the core writes. */
    do {
        version = t->version;
        __asm__ volatile("" : : : "memory");
        now = t->system_time +
              scale(tsc_read() - t->tsc_timestamp, t->tsc_to_system_mul, t->tsc_shift);
        __asm__ volatile("" : : : "memory");
    } while ((version & 1) != 0 || version != t->version);
    if (now > last)
        last = now;
    return last;
}

uint64_t clock_wall(void)
{
    const volatile struct shared_info *s = event_shared;
    uint64_t boot;
    uint32_t version;

    do {
        version = s->wc_version;
        __asm__ volatile("" : : : "memory");
        boot = ((uint64_t)s->wc_sec_hi << 32 | s->wc_sec) * SECOND + s->wc_nsec;
        __asm__ volatile("" : : : "memory");
    } while ((version & 1) != 0 || version != s->wc_version);
    return boot + clock_now();
}
