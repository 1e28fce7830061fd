/*
 * A front end's granted pages, mapped for device DMA: those of requests in
 * flight, and, if the front end allows it, those it keeps granted (persistent
 * grants), cached so that they are mapped once.
 *
 * Pages are known by their index. Maps and unmaps are collected in a batch and
 * done with one call each.
 */
#ifndef BLK_PAGES_H
#define BLK_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant.h>

/* 1,056 is what a stock front end uses on a ring of one page; the rest is room to move. */
#define BLK_PAGES_MAX     1184u
#define BLK_PAGES_NONE    UINT16_MAX
#define BLK_PAGES_BUCKETS 512u
#define BLK_BATCH_MAX     512u

struct blk_page {
    uint64_t dma;
    grant_ref_t ref;
    grant_handle_t handle;
    uint16_t users;
    uint16_t chain;      /* next in the bucket of its ref */
    uint16_t next, prev; /* in the list of free or of idle pages */
    uint8_t state;
};

/* Operations waiting to be done together; one serves all devices in turn. */
struct blk_batch {
    uint32_t map_count, unmap_count;
    uint16_t map_page[BLK_BATCH_MAX], unmap_page[BLK_BATCH_MAX];
    struct gnttab_map_grant_ref map[BLK_BATCH_MAX];
    struct gnttab_unmap_grant_ref unmap[BLK_BATCH_MAX];
};

struct blk_pages {
    uint8_t *space; /* BLK_PAGES_MAX pages of guest-physical space */
    domid_t peer;
    bool persistent;
    uint16_t free_first;
    uint16_t idle_first, idle_last; /* mapped, unused, oldest first */
    uint32_t free_count, idle_count;
    uint32_t reserved; /* free pages that were promised */
    uint16_t buckets[BLK_PAGES_BUCKETS];
    struct blk_page pages[BLK_PAGES_MAX];
    uint64_t map_calls, unmap_calls, maps, evictions, unmap_failures;
};

void blk_pages_init(struct blk_pages *p, void *space, domid_t peer, bool persistent);

/* Unmaps everything. No page may be in use. */
void blk_pages_fini(struct blk_pages *p, struct blk_batch *b);

/*
 * Promises count pages to the caller, if need be by dropping cached ones. False
 * if so many cannot be had before pages in use are put back.
 */
bool blk_pages_reserve(struct blk_pages *p, struct blk_batch *b, uint32_t count);
void blk_pages_release(struct blk_pages *p, uint32_t count);

/* The page of a reference, out of those promised: in the cache, or mapped by the next map. */
uint16_t blk_pages_get(struct blk_pages *p, struct blk_batch *b, grant_ref_t ref, bool readonly);

/* Ends one use. What is not cached is unmapped by the next unmap. */
void blk_pages_put(struct blk_pages *p, struct blk_batch *b, uint16_t index);

/* Do what the batch holds. */
void blk_pages_map(struct blk_pages *p, struct blk_batch *b);
void blk_pages_unmap(struct blk_pages *p, struct blk_batch *b);

/* Whether a page that was got is there, after blk_pages_map. */
bool blk_pages_is_mapped(const struct blk_pages *p, uint16_t index);

static inline void *blk_pages_address(const struct blk_pages *p, uint16_t index)
{
    return p->space + ((size_t)index << 12);
}

static inline uint32_t blk_batch_room(uint32_t used)
{
    return BLK_BATCH_MAX - used;
}

#endif
