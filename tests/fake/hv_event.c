/* The pretend hypervisor's event channels, and the runtime's way to wait for them. */
#include "fake_hv.h"

#include <string.h>

#include <hcall.h>
#include <rt/event.h>

#include "fake_state.h"

static struct port *port_find(domid_t domid, evtchn_port_t number)
{
    if (domid >= FAKE_DOMAINS || number == 0 || number >= FAKE_PORTS)
        return NULL;
    return &fake.domains[domid].ports[number];
}

static evtchn_port_t port_alloc(domid_t domid, enum port_state state, domid_t remote)
{
    for (evtchn_port_t i = 1; i < FAKE_PORTS; i++) {
        struct port *p = &fake.domains[domid].ports[i];

        if (p->state == PORT_FREE) {
            *p = (struct port){.state = state, .remote = remote};
            return i;
        }
    }
    return 0;
}

evtchn_port_t fake_port(domid_t domid, domid_t remote)
{
    return port_alloc(domid, PORT_UNBOUND, remote);
}

bool fake_pending(domid_t domid, evtchn_port_t port)
{
    const struct port *p = port_find(domid, port);

    return p && p->pending;
}

int hcall_event_alloc_unbound(struct evtchn_alloc_unbound *arg)
{
    domid_t domid = fake_resolve(arg->dom);

    if (domid >= FAKE_DOMAINS)
        return -XEN_ESRCH;
    fake_effect();
    arg->port = port_alloc(domid, PORT_UNBOUND, fake_resolve(arg->remote_dom));
    return arg->port ? 0 : -XEN_ENOSPC;
}

int hcall_event_bind_interdomain(struct evtchn_bind_interdomain *arg)
{
    domid_t remote = fake_resolve(arg->remote_dom);

    if (remote >= FAKE_DOMAINS)
        return -XEN_ESRCH;

    struct port *there = port_find(remote, arg->remote_port);

    if (!there || there->state != PORT_UNBOUND || there->remote != fake.current)
        return -XEN_EINVAL;
    fake_effect();
    arg->local_port = port_alloc(fake.current, PORT_BOUND, remote);
    if (!arg->local_port)
        return -XEN_ENOSPC;

    struct port *here = port_find(fake.current, arg->local_port);

    here->remote_port = arg->remote_port;
    here->pending = true; /* as Xen does: an event may have come before the bind */
    there->state = PORT_BOUND;
    there->remote_port = arg->local_port;
    return 0;
}

int hcall_event_bind_virq(struct evtchn_bind_virq *arg)
{
    fake_effect();
    arg->port = port_alloc(fake.current, PORT_VIRQ, fake.current);
    if (!arg->port)
        return -XEN_ENOSPC;
    fake_self()->ports[arg->port].remote_port = arg->virq;
    return 0;
}

static void port_close(struct port *p)
{
    if (p->state == PORT_BOUND) {
        struct port *there = port_find(p->remote, p->remote_port);

        there->state = PORT_UNBOUND;
        there->remote_port = 0;
    }
    memset(p, 0, sizeof(*p));
}

int hcall_event_close(struct evtchn_close *arg)
{
    struct port *p = port_find(fake.current, arg->port);

    if (!p || p->state == PORT_FREE)
        return -XEN_EINVAL;
    fake_effect();
    port_close(p);
    return 0;
}

void fake_ports_drop(domid_t domid, evtchn_port_t keep, evtchn_port_t keep_too)
{
    for (evtchn_port_t i = 1; i < FAKE_PORTS; i++) {
        struct port *p = &fake.domains[domid].ports[i];

        if (i == keep || i == keep_too)
            p->pending = p->open = false;
        else if (p->state != PORT_FREE)
            port_close(p);
    }
}

unsigned fake_ports(domid_t domid)
{
    unsigned count = 0;

    for (evtchn_port_t i = 1; i < FAKE_PORTS; i++)
        count += fake.domains[domid].ports[i].state != PORT_FREE;
    return count;
}

void fake_raise(domid_t domid, evtchn_port_t port)
{
    struct port *p = port_find(domid, port);

    if (p && p->state == PORT_VIRQ)
        p->pending = true;
}

/* A send to an end that nobody has bound is dropped, not an error. */
int hcall_event_send(struct evtchn_send *arg)
{
    struct port *p = port_find(fake.current, arg->port);

    if (!p || p->state == PORT_FREE || p->state == PORT_VIRQ)
        return -XEN_EINVAL;
    fake_effect();
    if (p->state == PORT_BOUND)
        port_find(p->remote, p->remote_port)->pending = true;
    return 0;
}

void event_notify(evtchn_port_t port)
{
    (void)hcall_event_send(&(struct evtchn_send){.port = port});
}

void event_flush(void) {}

void event_alive(void) {}

int hcall_event_unmask(struct evtchn_unmask *arg)
{
    return port_find(fake.current, arg->port) ? 0 : -XEN_EINVAL;
}

int hcall_event_status(struct evtchn_status *arg)
{
    domid_t domid = fake_resolve(arg->dom);

    if (domid >= FAKE_DOMAINS)
        return -XEN_ESRCH;

    const struct port *p = port_find(domid, arg->port);

    if (!p)
        return -XEN_EINVAL;
    arg->vcpu = 0;
    switch (p->state) {
    case PORT_FREE: arg->status = EVTCHNSTAT_closed; break;
    case PORT_UNBOUND:
        arg->status = EVTCHNSTAT_unbound;
        arg->u.unbound.dom = p->remote;
        break;
    case PORT_BOUND:
        arg->status = EVTCHNSTAT_interdomain;
        arg->u.interdomain.dom = p->remote;
        arg->u.interdomain.port = p->remote_port;
        break;
    case PORT_VIRQ:
        arg->status = EVTCHNSTAT_virq;
        arg->u.virq = p->remote_port;
        break;
    }
    return 0;
}

/* ---- rt/event.h ------------------------------------------------------------------------------ */

void event_open(evtchn_port_t port)
{
    struct port *p = port_find(fake.current, port);

    if (p)
        p->open = true;
}

void event_shut(evtchn_port_t port)
{
    struct port *p = port_find(fake.current, port);

    if (p)
        p->open = false;
}

static evtchn_port_t port_take(evtchn_port_t number)
{
    struct port *p = port_find(fake.current, number);

    if (!p || !p->open || !p->pending)
        return EVENT_NONE;
    p->pending = false;
    return number;
}

evtchn_port_t event_next(void)
{
    struct domain *d = fake_self();

    for (evtchn_port_t i = 1; i <= FAKE_PORTS; i++) {
        evtchn_port_t number = (d->last + i) % FAKE_PORTS;

        if (port_take(number) != EVENT_NONE) {
            d->last = number;
            return number;
        }
    }
    return EVENT_NONE;
}

/* port EVENT_NONE: any. */
static evtchn_port_t wait_for(evtchn_port_t port, evtchn_port_t other, uint64_t deadline)
{
    domid_t self = fake.current;

    for (;;) {
        evtchn_port_t got = port == EVENT_NONE ? event_next() : port_take(port);

        if (got == EVENT_NONE)
            got = port_take(other);
        if (got != EVENT_NONE || fake.now >= deadline)
            return got;

        bool went_on = fake.idle && fake.idle(fake.idle_context);

        fake.current = self;
        if (went_on)
            continue;
        if (deadline == EVENT_FOREVER)
            return EVENT_NONE;
        fake.now = deadline;
    }
}

evtchn_port_t event_wait(uint64_t deadline)
{
    return wait_for(EVENT_NONE, EVENT_NONE, deadline);
}

evtchn_port_t event_wait_port(evtchn_port_t port, uint64_t deadline)
{
    return wait_for(port, EVENT_NONE, deadline);
}

evtchn_port_t event_wait_either(evtchn_port_t port, evtchn_port_t other, uint64_t deadline)
{
    return wait_for(port, other, deadline);
}
