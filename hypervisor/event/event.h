/* Event channels of a domain, 2-level ABI: ports, who is at the other end, pending bits. */
#pragma once

#include <stdbool.h>

#include <abi/event.h>

#include "util/check.h"
#include "util/lock.h"

struct domain;
struct vcpu;

enum event_state { EVENT_FREE, EVENT_UNBOUND, EVENT_INTERDOMAIN, EVENT_VIRQ, EVENT_IPI };

/* One end of a channel. */
struct event_channel {
    uint8_t state;
    uint8_t virq;
    uint16_t vcpu;         /* told of it */
    uint16_t remote_domid; /* unbound: who may bind; interdomain: who has */
    uint32_t remote_port;
    struct domain *remote; /* interdomain: alive as long as the channel is bound */
};

#define EVENT_CHUNK 128u

struct event_table {
    struct lock lock;
    uint32_t next; /* where the search for a free port starts */
    struct event_channel *chunk[EVENT_PORTS / EVENT_CHUNK]; /* pages of the pool, as needed */
};

MUST_USE int event_init(struct domain *d);

/* Closes every channel; peers' ends become unbound for the same domain id. */
void event_close_all(struct domain *d);

/* All but two are closed, nothing is pending and nothing masked: for a new life. It runs nowhere.
 */
void event_reset(struct domain *d, uint32_t keep, uint32_t keep_too);

/* The same, and the table goes: nobody can reach the domain any more. */
void event_fini(struct domain *d);

/* The rest take good pointers and answer 0 or a negative error number. */
MUST_USE int event_alloc_unbound(struct domain *d, uint16_t remote, uint32_t *port);
MUST_USE int event_bind_interdomain(struct domain *d, struct domain *remote, uint32_t remote_port,
                                    uint32_t *port);
MUST_USE int event_bind_virq(struct vcpu *v, uint32_t virq, uint32_t *port);
MUST_USE int event_bind_ipi(struct vcpu *v, uint32_t *port);
MUST_USE int event_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu);
int event_close(struct domain *d, uint32_t port);
MUST_USE int event_send(struct domain *d, uint32_t port);
MUST_USE int event_unmask(struct domain *d, uint32_t port);
MUST_USE int event_status(struct domain *d, uint32_t port, struct evtchn_status *status);

/* Raises a virtual interrupt that is a vCPU's own (VIRQ_TIMER). */
void event_raise_virq(struct vcpu *v, uint32_t virq);

/*
 * Raises a host-wide one (VIRQ_DOM_EXC, VIRQ_CONSOLE) at every domain that has
 * bound it. No lock held.
 */
void event_raise_global(uint32_t virq);

/* Sets a port of the domain pending for a device of its own; what is no port is ignored. */
void event_raise_port(struct domain *d, uint32_t port);

/* The vCPU has not yet looked at an event that it was told of. */
bool event_is_told(struct vcpu *v);

/* The vCPU has an event to be told of. Reads the guest's flag only when ours is set. */
bool event_upcall_pending(struct vcpu *v);

/* Any of the ports is pending (SCHEDOP_poll). */
bool event_is_pending(const struct domain *d, uint32_t port);

/* The vCPU's vcpu_info moved: tells it once of whatever may be pending. */
void event_retell(struct vcpu *v);
