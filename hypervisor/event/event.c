/* Event channels: allocation, binding, pending bits. */
#include "event/event.h"

#include <abi/rights.h>

#include "domain/domain.h"
#include "domain/share.h"
#include "mm/heap.h"
#include "sched/sched.h"
#include "util/string.h"
#include "vcpu/info.h"

_Static_assert(EVENT_CHUNK * sizeof(struct event_channel) <= PAGE_SIZE, "a chunk is a page");

/* Host-wide virtual interrupts, and what a domain must be allowed to do to hear them. */
static const uint32_t virq_right[NR_VIRQS] = {
    [VIRQ_CONSOLE] = RIGHT_PROMPT | RIGHT_CONSOLE,
    [VIRQ_DOM_EXC] = RIGHT_BUILD,
};

static bool virq_is_per_vcpu(uint32_t virq)
{
    return virq == VIRQ_TIMER || virq == VIRQ_DEBUG;
}

/* A port that exists: one of ours, or checked before. */
static struct event_channel *channel(const struct event_table *t, uint32_t port)
{
    return &t->chunk[port / EVENT_CHUNK][port % EVENT_CHUNK];
}

/* What a guest claims to be a port; NULL if there never was one. */
static struct event_channel *claimed(const struct event_table *t, uint32_t port)
{
    if (port == 0 || port >= EVENT_PORTS || !t->chunk[port / EVENT_CHUNK])
        return NULL;
    return channel(t, port);
}

static int port_find(struct event_table *t, uint32_t *port)
{
    for (uint32_t i = 0; i < EVENT_PORTS; i++) {
        uint32_t p = (t->next + i) % EVENT_PORTS;

        if (p == 0)
            continue;
        if (!t->chunk[p / EVENT_CHUNK] && !(t->chunk[p / EVENT_CHUNK] = pool_alloc(0)))
            return -XEN_ENOMEM;
        if (channel(t, p)->state != EVENT_FREE)
            continue;
        *port = p;
        return 0;
    }
    return -XEN_ENOSPC;
}

/* A free port becomes what it is to be. The lock is held. */
static int port_open(struct domain *d, const struct event_channel *what, uint32_t *port)
{
    int rc = d->dying ? -XEN_EINVAL : port_find(d->events, port);

    if (rc < 0)
        return rc;
    *channel(d->events, *port) = *what;
    d->events->next = *port + 1;
    return 0;
}

static void port_free(struct domain *d, uint32_t port)
{
    struct event_channel *c = channel(d->events, port);

    *c = (struct event_channel){.state = EVENT_FREE};
    /* Low ports are used again first, so that tables stay short. */
    if (port < d->events->next)
        d->events->next = port;
    __atomic_fetch_and(&d->shared->evtchn_pending[port / 64], ~(1ul << (port % 64)),
                       __ATOMIC_SEQ_CST);
}

/* Sets the guest's flags for one word of pending bits, and makes it look. */
static void tell(struct vcpu *v, uint32_t word)
{
    struct vcpu_info *info = info_map(v);
    bool first = !(__atomic_fetch_or(&info->evtchn_pending_sel, 1ul << word, __ATOMIC_SEQ_CST) &
                   1ul << word);

    if (first) {
        __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&v->upcall, true, __ATOMIC_SEQ_CST);
    }
    info_unmap(v);
    if (first)
        sched_wake(v);
}

static void set_pending(struct domain *d, const struct event_channel *c, uint32_t port)
{
    uint64_t bit = 1ul << (port % 64);
    struct vcpu *v = d->vcpu[c->vcpu];

    if (__atomic_fetch_or(&d->shared->evtchn_pending[port / 64], bit, __ATOMIC_SEQ_CST) & bit)
        return;
    if (!(__atomic_load_n(&d->shared->evtchn_mask[port / 64], __ATOMIC_SEQ_CST) & bit))
        tell(v, port / 64);
    for (unsigned i = 0; i < d->vcpu_count; i++)
        if (d->vcpu[i]->polling)
            sched_wake(d->vcpu[i]);
}

int event_init(struct domain *d)
{
    d->events = heap_alloc(sizeof(*d->events));
    if (!d->events)
        return -XEN_ENOMEM;
    lock_init(&d->events->lock, LOCK_EVENT);
    d->events->next = 1;
    return 0;
}

/* Two are kept; port 0 is never one. Most tables have one chunk only. */
static void close_others(struct domain *d, uint32_t keep, uint32_t keep_too)
{
    for (uint32_t port = 0; port < EVENT_PORTS; port++)
        if (d->events->chunk[port / EVENT_CHUNK] && port != keep && port != keep_too)
            event_close(d, port);
}

void event_close_all(struct domain *d)
{
    close_others(d, 0, 0);
}

void event_reset(struct domain *d, uint32_t keep, uint32_t keep_too)
{
    close_others(d, keep, keep_too);
    memset(d->shared->evtchn_pending, 0, sizeof(d->shared->evtchn_pending));
    memset(d->shared->evtchn_mask, 0, sizeof(d->shared->evtchn_mask));
    memset(d->shared->vcpu_info, 0, sizeof(d->shared->vcpu_info));
}

void event_fini(struct domain *d)
{
    if (!d->events)
        return;
    event_close_all(d);
    for (unsigned i = 0; i < EVENT_PORTS / EVENT_CHUNK; i++)
        pool_free(d->events->chunk[i], 0);
    heap_free(d->events);
    d->events = NULL;
}

int event_alloc_unbound(struct domain *d, uint16_t remote, uint32_t *port)
{
    const struct event_channel unbound = {.state = EVENT_UNBOUND, .remote_domid = remote};

    LOCK_SCOPE(&d->events->lock);
    return port_open(d, &unbound, port);
}

/* Both ends' locks are held. */
static int bind_interdomain(struct domain *d, struct domain *remote, uint32_t remote_port,
                            uint32_t *port)
{
    const struct event_channel here = {.state = EVENT_INTERDOMAIN,
                                       .remote_domid = remote->id,
                                       .remote_port = remote_port,
                                       .remote = remote};
    struct event_channel *there = claimed(remote->events, remote_port);

    if (remote->dying || !there || there->state != EVENT_UNBOUND || there->remote_domid != d->id)
        return -XEN_EINVAL;
    int rc = port_open(d, &here, port);
    if (rc < 0)
        return rc;
    there->state = EVENT_INTERDOMAIN;
    there->remote = d;
    there->remote_port = *port;
    /* What was sent before the bind is not lost: the new end starts pending. */
    set_pending(d, channel(d->events, *port), *port);
    return 0;
}

int event_bind_interdomain(struct domain *d, struct domain *remote, uint32_t remote_port,
                           uint32_t *port)
{
    if (!share_is_allowed(d, remote))
        return -XEN_EPERM;
    lock_pair_acquire(&d->events->lock, &remote->events->lock);
    int rc = bind_interdomain(d, remote, remote_port, port);
    lock_pair_release(&d->events->lock, &remote->events->lock);
    return rc;
}

int event_bind_virq(struct vcpu *v, uint32_t virq, uint32_t *port)
{
    const struct event_channel bound = {
        .state = EVENT_VIRQ, .virq = (uint8_t)virq, .vcpu = (uint16_t)v->id};
    struct domain *d = v->domain;

    if (virq >= NR_VIRQS || (!virq_is_per_vcpu(virq) && (virq_right[virq] == 0 || v->id != 0)))
        return -XEN_EINVAL;
    if (!virq_is_per_vcpu(virq) && !(d->rights & virq_right[virq]))
        return -XEN_EPERM;
    LOCK_SCOPE(&d->events->lock);
    if (v->virq_port[virq])
        return -XEN_EEXIST;
    int rc = port_open(d, &bound, port);
    if (rc == 0)
        v->virq_port[virq] = (uint16_t)*port;
    return rc;
}

int event_bind_ipi(struct vcpu *v, uint32_t *port)
{
    const struct event_channel own = {.state = EVENT_IPI, .vcpu = (uint16_t)v->id};

    LOCK_SCOPE(&v->domain->events->lock);
    return port_open(v->domain, &own, port);
}

int event_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu)
{
    if (vcpu >= d->vcpu_count)
        return -XEN_ENOENT;
    LOCK_SCOPE(&d->events->lock);
    struct event_channel *c = claimed(d->events, port);
    if (!c || c->state == EVENT_FREE || c->state == EVENT_IPI ||
        (c->state == EVENT_VIRQ && virq_is_per_vcpu(c->virq)))
        return -XEN_EINVAL;
    c->vcpu = (uint16_t)vcpu;
    return 0;
}

/* Both ends' locks are held. */
static void close_interdomain(struct domain *d, uint32_t port)
{
    struct event_channel *here = channel(d->events, port);
    struct event_channel *there = channel(here->remote->events, here->remote_port);

    there->state = EVENT_UNBOUND;
    there->remote = NULL;
    there->remote_port = 0;
    there->remote_domid = d->id;
    port_free(d, port);
}

int event_close(struct domain *d, uint32_t port)
{
    struct domain *remote = NULL;
    int rc = 0;

    lock_acquire(&d->events->lock);
    struct event_channel *c = claimed(d->events, port);
    if (!c || c->state == EVENT_FREE) {
        rc = -XEN_EINVAL;
    } else if (c->state == EVENT_INTERDOMAIN) {
        remote = c->remote;
        domain_ref(remote);
    } else {
        /* A host-wide one may be told to another vCPU, but is the first one's. */
        if (c->state == EVENT_VIRQ)
            d->vcpu[virq_is_per_vcpu(c->virq) ? c->vcpu : 0]->virq_port[c->virq] = 0;
        port_free(d, port);
    }
    lock_release(&d->events->lock);
    if (!remote)
        return rc;

    /* The order of two locks asks for both anew; the peer may have closed meanwhile. */
    lock_pair_acquire(&d->events->lock, &remote->events->lock);
    c = channel(d->events, port);
    if (c->state == EVENT_INTERDOMAIN && c->remote == remote)
        close_interdomain(d, port);
    else if (c->state == EVENT_UNBOUND)
        port_free(d, port);
    lock_pair_release(&d->events->lock, &remote->events->lock);
    domain_put(remote);
    return 0;
}

int event_send(struct domain *d, uint32_t port)
{
    struct cpu *cpu = cpu_this();
    int rc = 0;

    LOCK_SCOPE(&d->events->lock);
    cpu->sending = true;
    struct event_channel *c = claimed(d->events, port);
    if (!c)
        rc = -XEN_EINVAL;
    else if (c->state == EVENT_INTERDOMAIN)
        set_pending(c->remote, channel(c->remote->events, c->remote_port), c->remote_port);
    else if (c->state == EVENT_IPI)
        set_pending(d, c, port);
    else if (c->state != EVENT_UNBOUND) /* a peer that is not there hears nothing: no error */
        rc = -XEN_EINVAL;
    if (rc == 0)
        d->stats.events_sent++;
    cpu->sending = false;
    return rc;
}

int event_unmask(struct domain *d, uint32_t port)
{
    uint64_t bit = 1ul << (port % 64);

    LOCK_SCOPE(&d->events->lock);
    struct event_channel *c = claimed(d->events, port);
    if (!c || c->state == EVENT_FREE)
        return -XEN_EINVAL;
    uint64_t mask = __atomic_fetch_and(&d->shared->evtchn_mask[port / 64], ~bit, __ATOMIC_SEQ_CST);
    if ((mask & bit) && event_is_pending(d, port))
        tell(d->vcpu[c->vcpu], port / 64);
    return 0;
}

int event_status(struct domain *d, uint32_t port, struct evtchn_status *status)
{
    static const uint8_t shown[] = {
        [EVENT_FREE] = EVTCHNSTAT_closed,
        [EVENT_UNBOUND] = EVTCHNSTAT_unbound,
        [EVENT_INTERDOMAIN] = EVTCHNSTAT_interdomain,
        [EVENT_VIRQ] = EVTCHNSTAT_virq,
        [EVENT_IPI] = EVTCHNSTAT_ipi,
    };
    static const struct event_channel never = {.state = EVENT_FREE};

    if (port == 0 || port >= EVENT_PORTS)
        return -XEN_EINVAL;
    LOCK_SCOPE(&d->events->lock);
    const struct event_channel *c = claimed(d->events, port);
    c = c ? c : &never;
    status->vcpu = c->vcpu;
    status->status = shown[c->state];
    if (c->state == EVENT_UNBOUND)
        status->u.unbound.dom = c->remote_domid;
    else if (c->state == EVENT_VIRQ)
        status->u.virq = c->virq;
    else if (c->state == EVENT_INTERDOMAIN) {
        status->u.interdomain.dom = c->remote_domid;
        status->u.interdomain.port = c->remote_port;
    }
    return 0;
}

void event_raise_virq(struct vcpu *v, uint32_t virq)
{
    struct domain *d = v->domain;

    LOCK_SCOPE(&d->events->lock);
    if (v->virq_port[virq])
        set_pending(d, channel(d->events, v->virq_port[virq]), v->virq_port[virq]);
}

void event_raise_global(uint32_t virq)
{
    struct domain *d = NULL;

    while ((d = domain_next(d)) != NULL)
        if (d->vcpu_count > 0 && !d->dying)
            event_raise_virq(d->vcpu[0], virq);
}

void event_raise_port(struct domain *d, uint32_t port)
{
    LOCK_SCOPE(&d->events->lock);
    const struct event_channel *c = claimed(d->events, port);

    if (c && c->state != EVENT_FREE)
        set_pending(d, c, port);
}

/* The guest's own flag says that it has not looked yet. */
static bool flag_is_set(struct vcpu *v)
{
    const struct vcpu_info *info = info_map(v);
    bool pending = __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) != 0;

    info_unmap(v);
    return pending;
}

bool event_is_told(struct vcpu *v)
{
    if (!v->upcall)
        return false;
    /* Ours goes first, so that a sender that comes between the two is not lost. */
    __atomic_store_n(&v->upcall, false, __ATOMIC_SEQ_CST);
    bool pending = flag_is_set(v);
    if (pending)
        __atomic_store_n(&v->upcall, true, __ATOMIC_SEQ_CST);
    return pending;
}

bool event_upcall_pending(struct vcpu *v)
{
    return event_is_told(v) && v->domain->callback_vector != 0;
}

bool event_is_pending(const struct domain *d, uint32_t port)
{
    return port < EVENT_PORTS &&
           (__atomic_load_n(&d->shared->evtchn_pending[port / 64], __ATOMIC_SEQ_CST) >>
                (port % 64) &
            1);
}

void event_retell(struct vcpu *v)
{
    struct vcpu_info *info = info_map(v);

    /* All words but the first, which is then told of as if an event had come. */
    __atomic_store_n(&info->evtchn_pending_sel, ~1ul, __ATOMIC_SEQ_CST);
    info_unmap(v);
    tell(v, 0);
}
