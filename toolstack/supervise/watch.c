/*
 * The watchdog of a domain of ours. What counts against it is time in which it
 * could have come back to its main loop and did not: that it had the CPU for, or
 * slept through although it was asked. Pauses, and time that others had the CPU,
 * do not.
 */
#include "watch.h"

#include <abi/bulkhead.h>
#include <abi/control.h>
#include <build/life.h>
#include <hcall.h>

#include "supervise.h"

#define MS 1000000ull

int watch_open(struct watch *w, domid_t domid, evtchn_port_t port, unsigned ms)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = domid, .remote_port = port};
    int rc;

    watch_close(w);
    if (port == 0)
        return 0;
    rc = hcall_event_bind_interdomain(&bind);
    if (rc < 0)
        return rc;
    w->port = bind.local_port;
    w->half = ms * MS / 2;
    return 0;
}

void watch_close(struct watch *w)
{
    struct evtchn_close close = {.port = w->port};

    if (w->port != 0)
        (void)hcall_event_close(&close);
    *w = (struct watch){.state = WATCH_OFF};
}

void watch_begin(struct watch *w, uint64_t now)
{
    if (w->port == 0)
        return;
    w->state = WATCH_QUIET;
    w->beat = 0;
    w->due = now + 2 * w->half;
}

static uint64_t cpu_time(domid_t domid)
{
    struct bulkhead_domain_stats stats = {.domid = domid};

    return hcall_domain_stats(&stats) < 0 ? 0 : stats.cpu_ns;
}

static void ask(struct watch *w, domid_t domid, uint64_t now)
{
    struct evtchn_send send = {.port = w->port};

    w->state = WATCH_ASKED;
    w->asked = now;
    w->ran = cpu_time(domid);
    (void)hcall_event_send(&send);
}

/*
 * It was asked; whether it had its time to answer. Of the CPU it needs three
 * quarters of that: the rest may have been others', this look among them.
 */
static bool is_late(const struct watch *w, domid_t domid, uint64_t flags, uint64_t now)
{
    if (flags & XEN_DOMINF_blocked)
        return now - w->asked >= w->half;
    return cpu_time(domid) - w->ran >= w->half - w->half / 4;
}

/* It counted since the last look. A page that cannot be read says nothing. */
static bool has_beaten(struct watch *w, domid_t domid)
{
    struct life_page page;
    uint32_t last = w->beat;

    if (life_read(domid, &page, offsetof(struct life_page, end)) < 0)
        return false;
    w->beat = page.beat;
    return page.beat != last;
}

bool watch_look(struct watch *w, domid_t domid, uint64_t flags, uint64_t now)
{
    if (w->state == WATCH_OFF || now < w->due)
        return false;
    w->due = now + w->half;
    if (flags & XEN_DOMINF_paused) {
        w->state = WATCH_QUIET;
        return false;
    }
    if (has_beaten(w, domid)) {
        w->state = WATCH_QUIET;
    } else if (w->state == WATCH_QUIET) {
        ask(w, domid, now);
    } else if (w->state == WATCH_STRUCK) {
        return true;
    } else if (is_late(w, domid, flags, now)) {
        w->state = WATCH_STRUCK;
        /* Whoever can still take an exception writes down where it is, and dies. */
        (void)domain_command(domid, XEN_DOMCTL_sendtrigger);
    }
    return false;
}
