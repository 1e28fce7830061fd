/*
 * Computes for most of the time that whoever wakes may go before others, sleeps for a
 * moment, and wakes again, for ever.
 */
#include "call.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "event.h"
#include "start.h"

#include <xen/sched.h>

#define BUSY_NS 800000ull
#define REST_NS 120000ull

static uint64_t now(void)
{
    return clock_ns(cpu_tsc());
}

void guest_run(void)
{
    struct sched_poll poll = {.nr_ports = 0};

    if (event_init() != 0) /* with the clock */
        start_crash();
    console_print("hog: begins\n");
    for (;;) {
        for (uint64_t rest = now() + BUSY_NS; now() < rest;)
            cpu_barrier();
        poll.timeout = now() + REST_NS;
        (void)call_sched(SCHEDOP_poll, &poll);
    }
}
