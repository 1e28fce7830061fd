/* Waiting: shared info, the rotation over its ports, and the one call that tells and sleeps. */
#include <rt/event.h>

#include <rt/clock.h>
#include <rt/memory.h>

#include <abi/bulkhead.h>

#include <hcall.h>
#include <scan.h>

#include "internal.h"

#define PORT_BITS  16u
/* Looks for events after which peers are told, even if this domain never sleeps. */
#define TOLD_LOOKS 4u

struct shared_info *event_shared;
static struct scan scan;
static uint64_t told; /* ports whose peers are to hear of something, as the call takes them */
static unsigned told_count;
static unsigned told_looks; /* since the oldest of them */
static evtchn_port_t asked; /* where the control domain asks for a beat; EVENT_NONE: it does not */

static struct scan_words words(void)
{
    return (struct scan_words){
        .upcall = &event_shared->vcpu_info[0].evtchn_upcall_pending,
        .selector = &event_shared->vcpu_info[0].evtchn_pending_sel,
        .pending = event_shared->evtchn_pending,
        .mask = event_shared->evtchn_mask,
    };
}

void event_init(void)
{
    struct shared_info *page = memory_space_alloc(1);
    struct xen_add_to_physmap arg = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = memory_gfn(page)};

    if (hcall_memory_add_to_physmap(&arg) < 0)
        die("no shared info page");
    for (unsigned i = 0; i < SCAN_WORDS; i++)
        page->evtchn_mask[i] = UINT64_MAX;
    event_shared = page;
    asked = life_port();
    if (asked != EVENT_NONE)
        event_open(asked);
    obey_init();
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

/* Tells, and sleeps until an event or the deadline. Peers that are gone need not be told. */
static void tell_and_sleep(uint64_t deadline)
{
    uint64_t ports = told;

    told = 0;
    told_count = 0;
    told_looks = 0;
    (void)hcall_event_wait(deadline, ports);
}

void event_notify(evtchn_port_t port)
{
    for (uint64_t left = told; left != 0; left >>= PORT_BITS)
        if ((left & UINT16_MAX) == port)
            return;
    if (told_count == BULKHEAD_EVENT_WAIT_PORTS)
        tell_and_sleep(0);
    told |= (uint64_t)port << (PORT_BITS * told_count++);
}

void event_alive(void)
{
    life_beat();
}

void event_flush(void)
{
    life_beat();
    if (told_count > 0)
        tell_and_sleep(0);
}

evtchn_port_t event_next(void)
{
    evtchn_port_t port;

    life_beat();
    if (told_count > 0 && ++told_looks > TOLD_LOOKS)
        event_flush();
    /* A question is answered by being here. */
    do
        port = scan_next(&scan, words());
    while (port != EVENT_NONE && (port == asked || obey(port)));
    return port;
}

/* Sleeps until something may have changed; false once the deadline has come. */
static bool sleep(uint64_t deadline)
{
    if (deadline != EVENT_FOREVER && clock_now() >= deadline) {
        event_flush();
        return false;
    }
    tell_and_sleep(deadline);
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

static bool take(evtchn_port_t port)
{
    return port != EVENT_NONE && scan_take(words(), port);
}

/* Who waits for another domain does not hang, whatever becomes of that one. */
evtchn_port_t event_wait_either(evtchn_port_t port, evtchn_port_t other, uint64_t deadline)
{
    for (;;) {
        scan_collect(&scan, words());
        (void)take(asked);
        for (unsigned i = 0; i < LIFE_ORDERS; i++)
            if (take(obey_port(i)))
                (void)obey(obey_port(i));
        if (port != EVENT_NONE)
            life_beat();
        if (take(port))
            return port;
        if (take(other))
            return other;
        if (!sleep(deadline))
            return EVENT_NONE;
    }
}

evtchn_port_t event_wait_port(evtchn_port_t port, uint64_t deadline)
{
    return event_wait_either(port, EVENT_NONE, deadline);
}

void event_sleep(uint64_t deadline)
{
    (void)event_wait_port(EVENT_NONE, deadline);
}
