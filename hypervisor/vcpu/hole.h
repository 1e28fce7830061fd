/* Guest-physical addresses where nothing is: reads give all-ones, writes change nothing real. */
#pragma once

#include <abi/addr.h>

#include "util/check.h"

struct domain;

enum hole_result {
    HOLE_AGAIN,     /* a page stands in now (or the real one came meanwhile): run on */
    HOLE_READ_ONLY, /* a write to what may only be read */
    HOLE_EXECUTED,
    HOLE_REFUSED /* too many, or no page */
};

/* Once, at boot. -XEN_ENOMEM. */
MUST_USE int hole_init(void);

/* The guest touched a frame in a way that its nested tables do not allow. */
MUST_USE enum hole_result hole_touch(struct domain *d, gfn_t gfn, bool write, bool fetch);
