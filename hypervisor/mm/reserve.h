/* RAM of a domain: taken from the free frames within its allowance, and let go after one flush. */
#pragma once

#include <abi/addr.h>

#include "util/check.h"

struct domain;

/*
 * Puts 1 << order fresh, zeroed frames at gfn, by the largest pages that its
 * alignment allows. -XEN_ENOMEM (none free, or more than the domain may have),
 * -XEN_EEXIST; what was mapped before a failure stays. exact: those of the same
 * numbers in the machine.
 */
MUST_USE int reserve_populate(struct domain *d, gfn_t gfn, unsigned order, bool exact);

#define RELEASE_BATCH 64u

/* Frames taken out of a p2m that are let go after one flush. */
struct release {
    struct domain *domain;
    unsigned count;
    mfn_t frame[RELEASE_BATCH];
};

/*
 * What is at a gfn goes, if its type is one of a set: RAM with the next flush,
 * anything else at once. -XEN_EPERM, -XEN_ENOMEM.
 */
MUST_USE int release_take(struct release *r, gfn_t gfn, uint32_t types);
void release_flush(struct release *r);
