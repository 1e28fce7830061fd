/*
 * A domain's guest-physical memory: nested page tables from frame numbers of
 * the guest (gfn) to those of the machine (mfn), 4 KiB, 2 MiB and 1 GiB.
 *
 * The tables are pages of the core's pool. Entries' types live in bits that the
 * CPU ignores. Setting an entry takes over the caller's reference on the frame
 * where the type has one (RAM, grants); removing one gives it back to the
 * caller to drop, after the flush.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

#include <arch/barrier.h>
#include <arch/cpu.h>

#include "util/check.h"
#include "util/lock.h"

enum p2m_type {
    P2M_EMPTY,    /* nothing: reads give all-ones, writes go nowhere */
    P2M_RAM,      /* the domain's own frame */
    P2M_RAM_RO,   /* readable and executable only: the bundle */
    P2M_GRANT,    /* another domain's frame, by a grant */
    P2M_GRANT_RO, /* the same, read-only */
    P2M_SHARED,   /* the core's own page: shared info, grant table frames */
    P2M_DEVICE,   /* device memory, uncached, not executable */
    P2M_HOLE,     /* nothing, but a page of ones stands in (vcpu/hole.h): mapping over it works */
    P2M_SCRATCH   /* the same where the guest wrote: a page that only the domain sees */
};

/* Sets of types have a bit each. */
#define P2M_ALL    UINT32_MAX
#define P2M_OWN    (1u << P2M_RAM)
#define P2M_GRANTS (1u << P2M_GRANT | 1u << P2M_GRANT_RO)
#define P2M_HOLES  (1u << P2M_EMPTY | 1u << P2M_HOLE | 1u << P2M_SCRATCH)

/* Those that the core writes and reads for the guest. */
#define P2M_WRITABLE (1u << P2M_RAM | 1u << P2M_GRANT | 1u << P2M_SHARED)
#define P2M_READABLE (P2M_WRITABLE | 1u << P2M_RAM_RO | 1u << P2M_GRANT_RO)

/* Nothing is there, whether or not something stands in for it. */
static inline bool p2m_is_hole(enum p2m_type type)
{
    return P2M_HOLES >> type & 1;
}

struct domain;

#define P2M_BUCKETS 16u

/* Of p2m.iommus: one of them remembers what was not there. */
#define P2M_IOMMU_ABSENT (1u << 31)

struct p2m {
    struct lock lock;
    struct domain *domain;
    uint64_t *root;   /* top-level table, in the pool */
    unsigned pages;   /* tables, of the pool */
    uint64_t ram_end; /* one past the highest gfn ever mapped as RAM */
    /*
     * Bits per CPU, changed atomically. Before a CPU enters the guest it sets its
     * bit in running, then (after a full barrier) takes its bit of flush_needed
     * and flushes if it was set; it clears running right after it left.
     */
    uint64_t flush_needed;
    uint64_t running;
    uint32_t iommus; /* units that walk these tables for devices, a bit each; atomic */
    uint64_t generation[P2M_BUCKETS]; /* what CPUs remember is of one (mm/lookup.h) */
};

MUST_USE int p2m_init(struct p2m *p2m, struct domain *domain);

/* Drops every entry and its reference, then the tables; the domain runs nowhere any more. */
void p2m_fini(struct p2m *p2m);

/*
 * Maps 1 << order frames (order 0, 9 or 18, both numbers aligned to it) where
 * nothing is mapped yet; a 4 KiB mapping replaces what stands in for a hole.
 * -XEN_EEXIST, -XEN_ENOMEM, -XEN_EINVAL (out of range). Takes the lock.
 */
MUST_USE int p2m_map(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type);

/*
 * Another frame of the same type (FRAME_NONE: none) comes in the place of the one
 * at a gfn (a large entry is split first), if its type is one of a set; tells what
 * it was. The caller flushes (tlb_flush_p2m) before it drops the old one's
 * reference. P2M_EMPTY if nothing was there. -XEN_EPERM: of another type;
 * -XEN_ENOMEM if a split failed.
 */
MUST_USE int p2m_exchange(struct p2m *p2m, gfn_t gfn, uint32_t types, mfn_t by, mfn_t *mfn,
                          enum p2m_type *type);

/* Removes what is mapped at a gfn: the same, and nothing comes. */
MUST_USE static inline int p2m_take(struct p2m *p2m, gfn_t gfn, uint32_t types, mfn_t *mfn,
                                    enum p2m_type *type)
{
    return p2m_exchange(p2m, gfn, types, (mfn_t){FRAME_NONE}, mfn, type);
}

/* Gives back the tables that lead to a gfn and map nothing any more. */
void p2m_prune(struct p2m *p2m, gfn_t gfn);

/* What is at a gfn; FRAME_NONE and P2M_EMPTY if nothing. The answer can be stale at once. */
mfn_t p2m_lookup(struct p2m *p2m, gfn_t gfn, enum p2m_type *type);

/*
 * The frame at a gfn with a reference taken, if its type is one of a set of those
 * that can be read; FRAME_NONE otherwise. Dropped by frame_put (which does nothing
 * for the core's own pages).
 */
MUST_USE mfn_t p2m_get(struct p2m *p2m, gfn_t gfn, uint32_t types);

/*
 * Between these two nothing that a lookup in the p2m found is freed, table or
 * frame: who removed it waits in tlb_flush_p2m. In between no lock is taken and
 * nothing else that waits. Slot 0 or 1: two p2ms can be read at once.
 */
static inline void p2m_read_begin(const struct p2m *p2m, unsigned slot)
{
    struct cpu *cpu = cpu_this();

    CHECK(!cpu->reading[slot]);
    cpu->reading[slot] = p2m;
    barrier_full(); /* seen by removers before any entry is read */
}

static inline void p2m_read_end(unsigned slot)
{
    __atomic_store_n(&cpu_this()->reading[slot], NULL, __ATOMIC_RELEASE);
}

/* Valid guest frame numbers are below this. */
uint64_t p2m_gfn_limit(void);
