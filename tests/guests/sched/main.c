/* Scheduling, timers and vCPU areas. */
#include "call.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "event.h"
#include "result.h"
#include "start.h"

#include <abi/bulkhead.h>
#include <abi/vcpu.h>

#define MS 1000000ull

static evtchn_port_t timer_port;

static uint64_t now(void)
{
    return clock_ns(cpu_tsc());
}

static bool ready(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    long status = 0;

    if (timer_port == 0) {
        status = event_init();
        if (status == 0)
            status = event_ask_upcall();
        if (status == 0)
            status = call_event(EVTCHNOP_bind_virq, &bind);
        if (status == 0)
            timer_port = bind.port;
    }
    if (timer_port == 0)
        result_error("a timer port", status);
    return timer_port != 0;
}

static long arm(uint64_t deadline, uint32_t flags)
{
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = deadline, .flags = flags};

    return call_vcpu(VCPUOP_set_singleshot_timer, 0, &timer);
}

TEST(the_clock_runs)
{
    uint64_t first;

    if (!ready())
        return;
    first = now();
    EXPECT(first > 0);
    while (now() < first + MS)
        cpu_barrier();
    EXPECT(now() > first);
}

TEST(a_timer_ends_a_halt)
{
    uint64_t deadline;

    if (!ready())
        return;
    event_clear(timer_port);
    event_unmask(timer_port);
    event_last = 0;
    deadline = now() + 2 * MS;
    EXPECT(arm(deadline, 0) == 0);
    for (;;) {
        cpu_irq_off();
        if (event_last == timer_port)
            break;
        cpu_halt_irq_on();
    }
    EXPECT(now() >= deadline);
    event_mask(timer_port);
}

TEST(a_stopped_timer_stays_silent)
{
    struct sched_poll poll = {.nr_ports = 0};

    if (!ready())
        return;
    event_clear(timer_port);
    EXPECT(arm(now() + 100 * MS, 0) == 0); /* far enough to be stopped on a busy machine */
    EXPECT(call_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL) == -XEN_EFAULT ||
           !event_is_pending(timer_port));
    EXPECT(call_page(&(struct call){__HYPERVISOR_set_timer_op, {0}}) == 0);
    poll.timeout = now() + 150 * MS;
    while (now() < poll.timeout)
        EXPECT(call_sched(SCHEDOP_poll, &poll) == 0);
    EXPECT(!event_is_pending(timer_port));
}

TEST(set_timer_op_is_the_same_timer)
{
    uint64_t deadline;

    if (!ready())
        return;
    event_clear(timer_port);
    deadline = now() + MS;
    EXPECT(call_page(&(struct call){__HYPERVISOR_set_timer_op, {deadline}}) == 0);
    while (!event_is_pending(timer_port))
        cpu_barrier();
    EXPECT(now() >= deadline);
}

TEST(a_deadline_in_the_past)
{
    if (!ready())
        return;
    event_clear(timer_port);
    EXPECT(arm(now() - MS, VCPU_SSHOTTMR_future) == -XEN_ETIME);
    EXPECT(!event_is_pending(timer_port));
    EXPECT(arm(now() - MS, 0) == 0);
    while (!event_is_pending(timer_port))
        cpu_barrier();
}

TEST(poll_ends_at_its_time_or_by_a_port)
{
    struct sched_poll poll = {.nr_ports = 1};
    evtchn_port_t port = timer_port;
    uint64_t start;

    if (!ready())
        return;
    port = timer_port;
    set_xen_guest_handle(poll.ports, &port);
    event_clear(timer_port);
    start = now();
    poll.timeout = start + 2 * MS;
    EXPECT(call_sched(SCHEDOP_poll, &poll) == 0);
    EXPECT(now() >= start + 2 * MS && !event_is_pending(timer_port));
    EXPECT(arm(now() + MS, 0) == 0);
    poll.timeout = 0; /* for ever */
    EXPECT(call_sched(SCHEDOP_poll, &poll) == 0);
    EXPECT(event_is_pending(timer_port));
    /* Pending already: no sleep. */
    EXPECT(call_sched(SCHEDOP_poll, &poll) == 0);
    poll.nr_ports = 129;
    EXPECT(call_sched(SCHEDOP_poll, &poll) == -XEN_EINVAL);
    poll.nr_ports = 1;
    port = 5000;
    EXPECT(call_sched(SCHEDOP_poll, &poll) == -XEN_EINVAL);
}

static long wait(uint64_t deadline, uint64_t ports)
{
    return call_page(&(struct call){HYPERVISOR_BULKHEAD, {BULKHEAD_event_wait, deadline, ports}});
}

/* The upcall that wait did not need. */
static void take_upcall(void)
{
    event_last = 0;
    cpu_irq_on();
    EXPECT(call_sched(SCHEDOP_yield, NULL) == 0);
    cpu_irq_off();
}

TEST(wait_sends_and_ends_at_its_time_or_by_an_event)
{
    evtchn_port_t a;
    evtchn_port_t b;
    uint64_t start;

    if (!ready())
        return;
    EXPECT(event_pair(&a, &b) == 0);
    event_unmask(a);
    start = now();
    EXPECT(wait(start + 2 * MS, 0) == 0);
    EXPECT(now() >= start + 2 * MS && !event_is_pending(a));
    EXPECT(wait(0, b) == 0);
    EXPECT(event_is_pending(a));
    EXPECT(wait(UINT64_MAX, 0) == 0); /* pending already: no sleep */
    take_upcall();
    EXPECT(event_last == a);
    EXPECT(wait(UINT64_MAX, (uint64_t)b << 48) == 0); /* what it sends wakes itself */
    take_upcall();
    EXPECT(event_last == a);
    EXPECT(wait(0, 5000 | (uint64_t)b << 16) == -XEN_EINVAL);
    take_upcall();
    EXPECT(event_last == a); /* the good port was sent on all the same */
    event_mask(a);
    EXPECT(call_event(EVTCHNOP_close, &(struct evtchn_close){.port = b}) == 0);
    EXPECT(call_event(EVTCHNOP_close, &(struct evtchn_close){.port = a}) == 0);
}

TEST(yield_and_block_come_back)
{
    if (!ready())
        return;
    EXPECT(call_sched(SCHEDOP_yield, NULL) == 0);
    event_clear(timer_port);
    event_last = 0;
    event_unmask(timer_port);
    cpu_irq_on();
    EXPECT(arm(now() + 50 * MS, 0) == 0);
    EXPECT(call_sched(SCHEDOP_block, NULL) == 0);
    EXPECT(event_last == timer_port);
    cpu_irq_off();
    event_mask(timer_port);
}

TEST(runstate_tells_where_time_went)
{
    static struct vcpu_runstate_info area;
    struct vcpu_register_runstate_memory_area where = {.addr.v = &area};
    struct vcpu_runstate_info told;
    struct sched_poll poll = {.nr_ports = 0};
    uint64_t before = now();
    uint64_t spent = 0;

    if (!ready())
        return;
    EXPECT(call_vcpu(VCPUOP_register_runstate_memory_area, 0, &where) == 0);
    EXPECT(call_vcpu(VCPUOP_get_runstate_info, 0, &told) == 0);
    EXPECT(told.state == RUNSTATE_running);
    /* Where others run too, the time may be over before the call, which then does not sleep. */
    do {
        poll.timeout = now() + 5 * MS;
        while (now() < poll.timeout)
            EXPECT(call_sched(SCHEDOP_poll, &poll) == 0);
        EXPECT(area.state == RUNSTATE_running);
    } while (area.time[RUNSTATE_blocked] == told.time[RUNSTATE_blocked]);
    /* No time is lost: what was not slept was run or waited for. */
    for (unsigned state = 0; state < 4; state++)
        spent += area.time[state] - told.time[state];
    EXPECT(spent >= 4 * MS && spent <= now() - before + MS);
    where.addr.p = 0xffff800000000000ull;
    EXPECT(call_vcpu(VCPUOP_register_runstate_memory_area, 0, &where) == -XEN_EFAULT);
}

TEST(vcpus_that_are_not_there)
{
    struct vcpu_runstate_info told;

    EXPECT(call_vcpu(VCPUOP_is_up, 0, &told) == 1);
    EXPECT(call_vcpu(VCPUOP_is_up, 500, &told) == -XEN_ENOENT);
    EXPECT(call_vcpu(VCPUOP_get_runstate_info, UINT64_MAX, &told) == -XEN_ENOENT);
    EXPECT(call_vcpu(VCPUOP_initialise, 0, &told) == -XEN_ENOSYS);
    EXPECT(call_vcpu(VCPUOP_stop_periodic_timer, 0, NULL) == 0);
}
