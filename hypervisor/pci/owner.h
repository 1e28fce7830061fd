/* Who owns which function. */
#pragma once

#include "pci/function.h"

struct domain;

/*
 * -XEN_ENODEV: no such function; -XEN_EPERM: the core's own, or it cannot be
 * contained; -XEN_EBUSY: somebody's; -XEN_EAGAIN: the reset after its last owner
 * takes a while; -XEN_EIO: it has not come back from that.
 */
MUST_USE int owner_assign(struct domain *d, uint16_t bdf);

/* Fenced, out of the owner's memory, and reset if it can be. -XEN_ENODEV: not d's. */
MUST_USE int owner_deassign(struct domain *d, uint16_t bdf);
