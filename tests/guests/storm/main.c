/*
 * Timers beside a stream of upcalls: none gets lost, whatever else is delivered in
 * the same moment. "n=" on the command line sets the rounds; a million of them
 * made QEMU's TCG lose one.
 */
#include "call.h"
#include "check.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "event.h"
#include "start.h"

#include <abi/vcpu.h>

#define ROUNDS  5000u
#define SENDS   3u
#define US      1000ull
#define LOST_NS (1000000 * US)

static evtchn_port_t timer_port, to, from;

static uint64_t now(void)
{
    return clock_ns(cpu_tsc());
}

/* Without an exit: only the host's own interrupt can end it early. */
static void wait(uint64_t end)
{
    while (!event_is_pending(timer_port) && now() < end)
        cpu_barrier();
}

/* How long after its time the timer was seen, in nanoseconds. */
static uint64_t round(uint64_t deadline)
{
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = deadline};
    uint64_t seen;

    event_clear(timer_port);
    EXPECT(call_vcpu(VCPUOP_set_singleshot_timer, 0, &timer) == 0);
    for (unsigned i = 0; i < SENDS && !event_is_pending(timer_port); i++) {
        event_clear(to);
        EXPECT(event_send(from) == 0);
    }
    wait(deadline + LOST_NS);
    seen = now();
    return seen > deadline ? seen - deadline : 0;
}

TEST(every_timer_comes)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    unsigned long rounds = start_number("n=", ROUNDS);
    uint64_t worst = 0;

    EXPECT(event_init() == 0 && event_ask_upcall() == 0);
    EXPECT(call_event(EVTCHNOP_bind_virq, &bind) == 0);
    timer_port = bind.port;
    EXPECT(event_pair(&to, &from) == 0);
    event_unmask(to);
    cpu_irq_on();
    for (unsigned long i = 0; i < rounds; i++) {
        uint64_t late = round(now() + i * 7919 % 397 * US / 2);

        worst = late > worst ? late : worst;
    }
    console_print("storm: the latest of %lu timers was %lu us late\n", rounds,
                  (unsigned long)(worst / US));
    EXPECT(worst < LOST_NS);
}
