/* Event channels: every call and every refusal, over channels of the guest with itself. */
#include "call.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "event.h"
#include "result.h"
#include "start.h"
#include "trap.h"

#include <abi/vcpu.h>

/* A domain that does not exist, and one that does but is no pair of ours: the control domain. */
#define NOBODY   0x7000u
#define STRANGER 0u

static bool ready(void)
{
    static bool done;

    if (!done && event_init() == 0 && event_ask_upcall() == 0)
        done = true;
    if (!done)
        result_error("mapping shared info", -1);
    return done;
}

static long close_port(evtchn_port_t port)
{
    return call_event(EVTCHNOP_close, &(struct evtchn_close){.port = port});
}

static long status_of(evtchn_port_t port, struct evtchn_status *status)
{
    *status = (struct evtchn_status){.dom = DOMID_SELF, .port = port};
    return call_event(EVTCHNOP_status, status);
}

TEST(send_sets_the_pending_bit)
{
    evtchn_port_t a;
    evtchn_port_t b;

    if (!ready())
        return;
    EXPECT(event_pair(&a, &b) == 0);
    EXPECT(!event_is_pending(a));
    EXPECT(event_send(b) == 0);
    EXPECT(event_is_pending(a) && !event_is_pending(b));
    EXPECT(event_send(a) == 0);
    EXPECT(event_is_pending(b));
    EXPECT(close_port(a) == 0 && close_port(b) == 0);
    EXPECT(!event_is_pending(a) && !event_is_pending(b));
}

TEST(an_upcall_brings_the_port)
{
    evtchn_port_t a;
    evtchn_port_t b;

    if (!ready())
        return;
    EXPECT(event_pair(&a, &b) == 0);
    event_unmask(a);
    event_last = 0;
    EXPECT(event_send(b) == 0);
    cpu_irq_on();
    while (event_last != a)
        cpu_barrier();
    cpu_irq_off();
    EXPECT(!event_is_pending(a));
    close_port(a);
    close_port(b);
}

TEST(unmask_tells_of_what_was_pending)
{
    evtchn_port_t a;
    evtchn_port_t b;

    if (!ready())
        return;
    EXPECT(event_pair(&a, &b) == 0);
    event_last = 0;
    cpu_irq_on();
    EXPECT(event_send(b) == 0);
    EXPECT(event_last == 0);
    event_unmask(a);
    while (event_last != a)
        cpu_barrier();
    cpu_irq_off();
    close_port(a);
    close_port(b);
}

TEST(a_new_interdomain_port_starts_pending)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};

    if (!ready())
        return;
    EXPECT(call_event(EVTCHNOP_alloc_unbound, &unbound) == 0);
    bind.remote_port = unbound.port;
    EXPECT(call_event(EVTCHNOP_bind_interdomain, &bind) == 0);
    EXPECT(event_is_pending(bind.local_port));
    close_port(bind.local_port);
    close_port(unbound.port);
}

TEST(the_end_of_a_closed_channel_is_unbound_again)
{
    struct evtchn_status status;
    evtchn_port_t a;
    evtchn_port_t b;

    if (!ready())
        return;
    EXPECT(event_pair(&a, &b) == 0);
    EXPECT(status_of(a, &status) == 0 && status.status == EVTCHNSTAT_interdomain);
    EXPECT(status.u.interdomain.dom == start_self() && status.u.interdomain.port == b);
    EXPECT(close_port(b) == 0);
    EXPECT(status_of(a, &status) == 0 && status.status == EVTCHNSTAT_unbound);
    EXPECT(status.u.unbound.dom == start_self());
    /* Nobody hears it, and that is no error. */
    EXPECT(event_send(a) == 0);
    EXPECT(close_port(a) == 0);
    EXPECT(status_of(a, &status) == 0 && status.status == EVTCHNSTAT_closed);
}

TEST(ports_that_are_none)
{
    struct evtchn_status status;

    EXPECT(event_send(0) == -XEN_EINVAL);
    EXPECT(event_send(4095) == -XEN_EINVAL);
    EXPECT(event_send(4096) == -XEN_EINVAL);
    EXPECT(event_send(UINT32_MAX) == -XEN_EINVAL);
    EXPECT(close_port(0) == -XEN_EINVAL);
    EXPECT(close_port(4000) == -XEN_EINVAL);
    EXPECT(close_port(UINT32_MAX) == -XEN_EINVAL);
    EXPECT(call_event(EVTCHNOP_unmask, &(struct evtchn_unmask){.port = 4096}) == -XEN_EINVAL);
    EXPECT(status_of(UINT32_MAX, &status) == -XEN_EINVAL);
    EXPECT(call_event(EVTCHNOP_bind_vcpu, &(struct evtchn_bind_vcpu){.port = 4096}) == -XEN_EINVAL);
}

TEST(strangers_are_refused)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = NOBODY, .remote_port = 1};
    struct evtchn_alloc_unbound unbound = {.dom = STRANGER, .remote_dom = DOMID_SELF};
    struct evtchn_status status = {.dom = STRANGER, .port = 1};

    EXPECT(call_event(EVTCHNOP_bind_interdomain, &bind) == -XEN_ESRCH);
    bind.remote_dom = STRANGER;
    for (evtchn_port_t port = 1; port < 16; port++) {
        bind.remote_port = port;
        EXPECT(call_event(EVTCHNOP_bind_interdomain, &bind) == -XEN_EPERM);
    }
    EXPECT(call_event(EVTCHNOP_alloc_unbound, &unbound) == -XEN_EPERM);
    EXPECT(call_event(EVTCHNOP_status, &status) == -XEN_EPERM);
    EXPECT(call_event(EVTCHNOP_reset, &(struct evtchn_reset){.dom = STRANGER}) == -XEN_EPERM);
}

TEST(virtual_interrupts)
{
    struct evtchn_bind_virq timer = {.virq = VIRQ_TIMER, .vcpu = 0};
    struct evtchn_bind_virq again = timer;
    struct evtchn_status status;

    EXPECT(call_event(EVTCHNOP_bind_virq, &timer) == 0);
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_EEXIST);
    EXPECT(status_of(timer.port, &status) == 0 && status.status == EVTCHNSTAT_virq &&
           status.u.virq == VIRQ_TIMER);
    EXPECT(close_port(timer.port) == 0);
    again.vcpu = 99;
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_ENOENT);
    again = (struct evtchn_bind_virq){.virq = NR_VIRQS};
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_EINVAL);
    again.virq = VIRQ_DOM_EXC;
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_EPERM);
    again.virq = VIRQ_CONSOLE;
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_EPERM);
    again.virq = VIRQ_TBUF;
    EXPECT(call_event(EVTCHNOP_bind_virq, &again) == -XEN_EINVAL);
}

TEST(an_ipi_reaches_its_own_port)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct evtchn_bind_ipi absent = {.vcpu = 1000};

    if (!ready())
        return;
    EXPECT(call_event(EVTCHNOP_bind_ipi, &ipi) == 0);
    EXPECT(event_send(ipi.port) == 0);
    EXPECT(event_is_pending(ipi.port));
    EXPECT(call_event(EVTCHNOP_bind_vcpu, &(struct evtchn_bind_vcpu){.port = ipi.port}) ==
           -XEN_EINVAL);
    EXPECT(close_port(ipi.port) == 0);
    EXPECT(call_event(EVTCHNOP_bind_ipi, &absent) == -XEN_ENOENT);
}

TEST(all_ports_and_not_one_more)
{
    unsigned made = 0;
    evtchn_port_t highest = 0;
    long status;

    for (;;) {
        struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = NOBODY};

        status = call_event(EVTCHNOP_alloc_unbound, &unbound);
        if (status)
            break;
        made++;
        highest = unbound.port > highest ? unbound.port : highest;
    }
    EXPECT(status == -XEN_ENOSPC);
    EXPECT(highest == EVENT_PORTS - 1 && made <= EVENT_PORTS - 1 && made > EVENT_PORTS - 16);
    /* Start again from none, as a kernel does that replaces another. */
    EXPECT(call_event(EVTCHNOP_reset, &(struct evtchn_reset){.dom = DOMID_SELF}) == 0);
    EXPECT(close_port(highest) == -XEN_EINVAL);
}

TEST(fifo_is_not_there)
{
    struct evtchn_init_control control = {.control_gfn = 1, .vcpu = 0};

    EXPECT(call_event(EVTCHNOP_init_control, &control) == -XEN_ENOSYS);
    EXPECT(call_event(EVTCHNOP_set_priority, &control) == -XEN_ENOSYS);
    EXPECT(call_event(EVTCHNOP_bind_pirq, &control) == -XEN_ENOSYS);
    EXPECT(call_event(63, &control) == -XEN_ENOSYS);
    EXPECT(call_event(1u << 20, &control) == -XEN_ENOSYS);
}
