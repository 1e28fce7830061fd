/*
 * Looking a gfn up, fast: each CPU remembers some answers. An answer is good as
 * long as the generation of its bucket is the one it was found under; removing
 * an entry gives its bucket a new one. Inside reading sections only.
 */
#pragma once

#include "mm/entry.h"

#define LOOKUP_SLOTS 64u

struct lookup {
    uint64_t generation, gfn;
    uint64_t entry; /* for this gfn alone, as if it were a 4 KiB entry */
    uint64_t pad;
};

static inline unsigned lookup_bucket(uint64_t gfn)
{
    return (unsigned)gfn & (P2M_BUCKETS - 1);
}

/* What maps a gfn, as a 4 KiB entry would; 0: nothing does. */
static inline uint64_t lookup_entry(const struct p2m *p2m, uint64_t gfn)
{
    struct lookup *l = &cpu_this()->lookups[gfn & (LOOKUP_SLOTS - 1)];
    uint64_t generation = __atomic_load_n(&p2m->generation[lookup_bucket(gfn)], __ATOMIC_ACQUIRE);
    unsigned level = 0;

    if (__builtin_expect(l->generation == generation && l->gfn == gfn, 1))
        return l->entry;
    uint64_t e = entry_find(p2m, gfn, &level);
    if (e) {
        e = (e & ~ENTRY_FRAME) | entry_mfn(e, gfn, level) << PAGE_SHIFT;
        *l = (struct lookup){generation, gfn, e, 0};
    }
    return e;
}

static inline mfn_t lookup_mfn(uint64_t entry)
{
    return (mfn_t){(entry & ENTRY_FRAME) >> PAGE_SHIFT};
}
