/* The one-shot timer: what arming it costs, and how late it is, awake and halted. */
#include "bench.h"
#include "call.h"
#include "clock.h"
#include "cpu.h"
#include "event.h"

#include <abi/vcpu.h>

#define SECOND           1000000000ull
#define HALF_MILLISECOND 500000ull
#define MOST_WAITS       1000u

static long arm(uint64_t deadline)
{
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = deadline};

    return call_vcpu(VCPUOP_set_singleshot_timer, 0, &timer);
}

/* A deadline a second ahead, armed anew each time. */
static long arm_cost(void)
{
    for (unsigned i = 0; i < bench_count; i++) {
        struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = clock_ns(cpu_tsc()) + SECOND};
        uint64_t start = cpu_tsc();
        long status = call_vcpu(VCPUOP_set_singleshot_timer, 0, &timer);

        bench_samples[0][i] = cpu_tsc() - start;
        if (status)
            return status;
    }
    call_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL);
    bench_report("timer_set", bench_samples[0], bench_count);
    return 0;
}

static void wait_awake(evtchn_port_t port)
{
    cpu_irq_on();
    while (event_last != port)
        cpu_barrier();
    cpu_irq_off();
}

static void wait_halted(evtchn_port_t port)
{
    while (event_last != port) {
        cpu_halt_irq_on();
        cpu_irq_off();
    }
}

static void lateness(const char *name, evtchn_port_t port, void (*wait)(evtchn_port_t))
{
    unsigned count = bench_count < MOST_WAITS ? bench_count : MOST_WAITS;
    uint64_t khz = clock_tsc_khz();

    cpu_irq_off();
    event_clear(port);
    event_unmask(port);
    for (unsigned i = 0; i < count; i++) {
        uint64_t deadline = clock_ns(cpu_tsc()) + HALF_MILLISECOND;
        uint64_t came;
        long status;

        event_last = 0;
        status = arm(deadline);
        if (status) {
            bench_skip("timer_late", status);
            return;
        }
        wait(port);
        came = clock_ns(event_upcall_tsc);
        bench_samples[0][i] = came > deadline ? (came - deadline) * khz / 1000000 : 0;
    }
    event_mask(port);
    bench_report(name, bench_samples[0], count);
}

void bench_timer(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER, .vcpu = 0};
    long status = call_event(EVTCHNOP_bind_virq, &bind);

    if (!status && !bench_has_upcall)
        status = -1;
    if (!status) {
        call_vcpu(VCPUOP_stop_periodic_timer, 0, NULL);
        status = arm_cost();
    }
    if (status) {
        bench_skip("timer_set", status);
        return;
    }
    lateness("timer_late_running", bind.port, wait_awake);
    lateness("timer_late_halted", bind.port, wait_halted);
    call_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL);
    call_event(EVTCHNOP_close, &(struct evtchn_close){.port = bind.port});
}
