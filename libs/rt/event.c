/* Waiting: shared info, the rotation over its ports, the timer and sleep. */
#include <rt/event.h>

#include <rt/clock.h>
#include <rt/memory.h>

#include <hcall.h>
#include <scan.h>

#include "cpu.h"
#include "internal.h"
#include "layout.h"

struct shared_info *event_shared;
uint64_t irq_pending; /* set by trap.S */

static struct scan scan;
static evtchn_port_t timer_port;
static uint64_t armed; /* when the timer fires; 0: not set */

static struct scan_words words(void)
{
    return (struct scan_words){
        .upcall = &event_shared->vcpu_info[0].evtchn_upcall_pending,
        .selector = &event_shared->vcpu_info[0].evtchn_pending_sel,
        .pending = event_shared->evtchn_pending,
        .mask = event_shared->evtchn_mask,
        .irqs = &irq_pending,
    };
}

static void map_shared_info(void)
{
    struct shared_info *page = memory_space_alloc(1);
    struct xen_add_to_physmap arg = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = memory_gfn(page)};

    if (hcall_memory_add_to_physmap(&arg) < 0)
        die("no shared info page");
    event_shared = page;
    for (unsigned i = 0; i < SCAN_WORDS; i++)
        page->evtchn_mask[i] = UINT64_MAX;
}

void event_init(void)
{
    struct xen_hvm_param callback = {
        .domid = DOMID_SELF,
        .index = HVM_PARAM_CALLBACK_IRQ,
        .value = (uint64_t)HVM_CALLBACK_TYPE_VECTOR << HVM_CALLBACK_TYPE_SHIFT | VECTOR_EVENT,
    };
    struct evtchn_bind_virq timer = {.virq = VIRQ_TIMER, .vcpu = 0};

    map_shared_info();
    if (hcall_hvm_set_param(&callback) < 0 || hcall_event_bind_virq(&timer) < 0)
        die("no event channels");
    timer_port = timer.port;
    event_open(timer_port);
}

void event_open(evtchn_port_t port)
{
    if (port >= EVENT_PORTS)
        die("event port out of range");
    scan_open(&scan, words(), port);
}

void event_shut(evtchn_port_t port)
{
    if (port >= EVENT_PORTS)
        die("event port out of range");
    scan_shut(words(), port);
}

evtchn_port_t event_next(void)
{
    for (;;) {
        if (irq_is_used())
            cpu_interrupt_window();

        unsigned n = scan_next(&scan, words());

        if (n == SCAN_NONE)
            return EVENT_NONE;
        if (n >= SCAN_IRQ)
            return EVENT_IRQ + n - SCAN_IRQ;
        if (n != timer_port)
            return n;
        armed = 0;
    }
}

/* Sleeps until something may have changed; false once the deadline has come. */
static bool sleep(uint64_t deadline)
{
    if (deadline != EVENT_FOREVER) {
        if (clock_now() >= deadline)
            return false;
        /* A timer that fires too early costs one round; setting it anew each time, a call each. */
        if (armed == 0 || deadline < armed) {
            struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = deadline};

            if (hcall_vcpu_set_singleshot_timer(0, &arg) < 0)
                die("no timer");
            armed = deadline;
        }
    }
    cpu_sleep();
    return true;
}

evtchn_port_t event_wait(uint64_t deadline)
{
    evtchn_port_t port;

    while ((port = event_next()) == EVENT_NONE)
        if (!sleep(deadline))
            break;
    return port;
}

evtchn_port_t event_wait_port(evtchn_port_t port, uint64_t deadline)
{
    for (;;) {
        scan_collect(&scan, words());
        if (port != EVENT_NONE && scan_take(words(), port))
            return port;
        if (scan_take(words(), timer_port))
            armed = 0;
        if (!sleep(deadline))
            return EVENT_NONE;
    }
}

void event_sleep(uint64_t deadline)
{
    (void)event_wait_port(EVENT_NONE, deadline);
}
