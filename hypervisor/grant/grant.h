/*
 * Grant tables, version 1: a domain lets named others use frames of its own.
 *
 * table.c   the owner's side: entries, pins (who uses a reference now)
 * map.c     the user's side: handles of what it has mapped
 * copy.c    copies that map nothing
 */
#pragma once

#include <abi/addr.h>
#include <abi/grant.h>

#include "util/check.h"
#include "util/lock.h"

struct domain;

#define GRANT_FRAMES_MAX  64u
/* A domain's own limit is the pages it may have and a few more. */
#define GRANT_HANDLES_MAX 16384u
#define GRANT_HANDLES_ANY 1024u
#define GRANT_BATCH       32u

/* A reference in use: what it meant when the first user came, and how many use it. */
struct grant_active {
    mfn_t frame;
    uint32_t readers; /* uses that only read */
    uint32_t writers;
};

/* One mapping of the user: its handle is the index. */
struct grant_mapping {
    struct domain *owner; /* referenced; NULL: gone, the user has a page of its own there */
    uint32_t ref;         /* of an unused one: 1 + the next free handle, 0: none */
    bool readonly, used;
    uint64_t gfn; /* where the user has it */
};

#define GRANT_ACTIVE_ORDER 1u /* pages for the active entries of one table frame */
#define GRANT_HANDLES_PAGE (PAGE_SIZE / sizeof(struct grant_mapping))

struct grant_table {
    struct lock lock;
    unsigned frames; /* of the table now */
    unsigned frames_max;
    struct grant_entry_v1 *entry[GRANT_FRAMES_MAX]; /* pages of the pool */
    struct grant_active *active[GRANT_FRAMES_MAX];
    gfn_t gfn[GRANT_FRAMES_MAX]; /* where the guest has each frame; FRAME_NONE: nowhere */

    struct grant_mapping *mapping[GRANT_HANDLES_MAX / GRANT_HANDLES_PAGE];
    uint32_t handles;     /* made so far */
    uint32_t handle_free; /* 1 + first free handle, 0: none */
    uint32_t mapped;      /* in use */
};

_Static_assert(GRANT_PER_FRAME * sizeof(struct grant_active) <= PAGE_SIZE << GRANT_ACTIVE_ORDER,
               "active entries");

/* A reference that its user has pinned, and its owner held; without an owner, the user's own page.
 */
struct grant_use {
    struct domain *owner;
    mfn_t frame;
    uint32_t ref;
    bool readonly;
};

/* Unmapped grants whose frames may be let go only after one flush for all. */
struct grant_batch {
    unsigned count;
    struct grant_use use[GRANT_BATCH];
};

MUST_USE int grant_init(struct domain *d, unsigned frames_max);

/* Takes down all that the domain has mapped of others. */
void grant_unmap_all(struct domain *d);

/*
 * The owner is dying: whoever still has a frame of its mapped has its own scratch
 * page in that place from now on, and nothing reaches the frame when this returns. But
 * for those whose devices an IOMMU does not keep from it: there the frame stays.
 */
void grant_revoke_all(struct domain *owner);

/* The domain itself is freed: nobody uses a reference of its any more. */
void grant_free(struct domain *d);

/* How long it may become: what the builder allowed, and no longer than its memory asks for. */
unsigned grant_frames_max(const struct domain *d);

/* Makes the table at least so many frames long. -XEN_ENOMEM, -XEN_EINVAL past the limit. */
MUST_USE int grant_grow(struct domain *d, unsigned frames);

/* The table's page of an index for add_to_physmap; NULL: no such frame. */
void *grant_frame(struct domain *d, unsigned index);

/* Writes an entry before the domain runs: full access for one peer. */
MUST_USE int grant_seed(struct domain *d, uint32_t ref, uint16_t peer, uint64_t gfn);

/*
 * Checks that `user` may use a reference of a domain (DOMID_SELF: its own), and
 * pins it: the frame stays, the guest sees the entry in use. Returns GNTST_*.
 */
MUST_USE int16_t grant_acquire(struct domain *user, uint16_t domid, uint32_t ref, bool readonly,
                               struct grant_use *use);
void grant_release(const struct grant_use *use);

/* GNTST_* in op->status, handle and bus address out. */
void grant_map(struct domain *user, struct gnttab_map_grant_ref *op);

/* GNTST_* in op->status; the frame is let go by grant_batch_flush. */
void grant_unmap(struct domain *user, struct gnttab_unmap_grant_ref *op, struct grant_batch *batch);
void grant_batch_flush(struct domain *user, struct grant_batch *batch);

/* GNTST_* in op->status. */
void grant_copy(struct domain *user, struct gnttab_copy *op);

uint64_t grant_pool_bytes(const struct domain *d);
