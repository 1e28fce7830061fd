/* Event channels of a domain, 2-level ABI: ports, who is at the other end, pending bits. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/check.h"

struct domain;
struct vcpu;

/* Raises a virtual interrupt that is a vCPU's own (VIRQ_TIMER); from the scheduler's context. */
void event_raise_virq(struct vcpu *v, uint32_t virq);

/* Raises a host-wide one (VIRQ_DOM_EXC, VIRQ_CONSOLE) at the domain that bound it and may. */
void event_raise_global(uint32_t virq, const struct domain *only);

/* The vCPU has an unmasked pending event to be told of. Reads the guest's flag when ours is set. */
bool event_upcall_pending(struct vcpu *v);

#endif
