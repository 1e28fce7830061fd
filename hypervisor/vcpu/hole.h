/* Guest-physical addresses where nothing is: reads give all-ones, writes change nothing real. */
#pragma once

#include <abi/addr.h>

#include "util/check.h"

struct vcpu;

/* Once, at boot. -XEN_ENOMEM. */
MUST_USE int hole_init(void);

/*
 * The guest touched an address in a way that its nested tables do not allow. A page
 * stands in now, or the guest gets #GP for writing what may only be read, or its
 * domain ends.
 */
void hole_touch(struct vcpu *v, gpa_t at, bool write, bool fetch);
