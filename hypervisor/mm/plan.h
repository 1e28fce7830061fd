/* Which RAM is for what: worked out once from the loader's memory map. */
#pragma once

#include "mm/frame.h"

#define PLAN_RANGES 1024u

struct plan_input {
    const struct memory_range *range; /* may overlap: then what is not RAM wins */
    const bool *is_ram;
    unsigned range_count;
    struct memory_range image;
    struct memory_range module; /* empty: none */
    uint64_t reach;             /* the pool must end below: so far the first page tables go */
};

struct plan {
    struct memory_range free[PLAN_RANGES]; /* whole pages for domains, disjoint */
    unsigned free_count;
    struct memory_range image, module, pool; /* whole pages */
    uint64_t module_from;                    /* where it is now: to be copied */
    uint64_t ram;                            /* bytes found in all */
    uint64_t frames;                         /* one past the highest in use */
};

/* -XEN_ENOMEM: no room for the pool. */
MUST_USE int plan_make(struct plan *plan, const struct plan_input *in);

/* Whether a range holds anything that the frame table must describe. */
bool plan_covers(const struct plan *plan, struct memory_range range);
