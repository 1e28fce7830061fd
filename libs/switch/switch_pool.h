/*
 * Memory of a net domain for frames that the switch makes: copies of what has
 * to wait, segments, frames with their checksum. One pool serves all bridges.
 */
#ifndef SWITCH_POOL_H
#define SWITCH_POOL_H

#include <net_port.h>

#define SWITCH_MADE_MAX   512u
#define SWITCH_PAGES_MAX  1024u
#define SWITCH_HEAD_SIZE  256u
#define SWITCH_PAGE_HEADS (4096u / SWITCH_HEAD_SIZE)
#define SWITCH_PARTS_MAX  128u
/* Pages that hold the heads of all made frames; those given first are taken for it. */
#define SWITCH_HEAD_PAGES (SWITCH_MADE_MAX / SWITCH_PAGE_HEADS)

/* A piece to be fetched: never over a page at either side. */
struct switch_part {
    domid_t owner;
    grant_ref_t ref;
    uint16_t offset, len;
    uint8_t *to;
    bool failed; /* to be set if it could not be fetched */
};

struct switch_pool_driver {
    /* Copies granted parts, all in one call if that can be. */
    void (*fetch)(void *context, struct switch_part *parts, unsigned count);
};

/* By grant copies; the context is a struct net_batch, which may have others' copies in it. */
extern const struct switch_pool_driver switch_pool_grants;

struct switch_page {
    uint8_t *page;
    uint64_t dma;
};

/* Where the headers of a frame lie: offsets, 0 if there are none. */
struct switch_layout {
    bool is6;
    uint8_t protocol;
    uint16_t ip, upper, data;
    uint32_t end;
};

/* A frame of the switch's own. */
struct switch_made {
    struct net_packet packet; /* first: from == &pool->port */
    struct net_tag tag;
    struct switch_made *next;    /* in a queue, or of the free ones */
    struct net_packet *original; /* what it is to become a copy of; NULL: it is complete */
    struct switch_made *parent;  /* whose pages its pieces lie in; NULL: its own */
    uint8_t *room;               /* SWITCH_HEAD_SIZE bytes */
    struct switch_layout layout;
    bool failed;                    /* a part of it could not be fetched */
    uint16_t page_count;            /* of its own */
    uint16_t pages[NET_PIECES_MAX]; /* numbers of pool->pages */
};

struct switch_pool {
    const struct switch_pool_driver *driver;
    void *context;
    struct net_port port; /* where made frames come from and go back to */
    struct switch_made *free;
    uint16_t used_made;  /* were taken once: none after them is free by `free` */
    uint16_t made_count; /* that have a head */
    uint16_t free_made;
    uint16_t page_count, free_pages;
    uint16_t free_list[SWITCH_PAGES_MAX];
    struct switch_page pages[SWITCH_PAGES_MAX];
    unsigned part_count;
    uint8_t *heads[SWITCH_HEAD_PAGES];
    struct switch_part parts[SWITCH_PARTS_MAX];
    struct switch_made *part_of[SWITCH_PARTS_MAX];
    struct switch_made made[SWITCH_MADE_MAX];
};

/* What the memory of a pool holds before does not matter: it is not touched before it is needed. */
void switch_pool_init(struct switch_pool *pool, const struct switch_pool_driver *driver,
                      void *context);

/* Gives it a page, for good. Useful: SWITCH_HEAD_PAGES + 32 or more. -XEN_ENOSPC: it has enough. */
int switch_pool_give(struct switch_pool *pool, uint8_t *page, uint64_t dma);

/* Frames that copies may take: a part is kept for the segments that come of them. */
static inline unsigned switch_pool_spare(const struct switch_pool *pool)
{
    unsigned kept = pool->made_count / 4u;

    return pool->free_made > kept ? pool->free_made - kept : 0;
}

/* A frame with nothing but room for a head, held once; NULL: there is none. */
struct switch_made *switch_made_alloc(struct switch_pool *pool);

/*
 * A frame with the room that a copy of the packet needs, whose head is to end at
 * split; NULL: there is none, or only what segments are kept for.
 */
struct switch_made *switch_made_for(struct switch_pool *pool, const struct net_packet *packet,
                                    uint16_t split);

/* Begins the copy: it is complete, or has failed, after switch_pool_fetch. */
void switch_made_copy(struct switch_pool *pool, struct switch_made *made,
                      const struct net_packet *packet);
void switch_pool_fetch(struct switch_pool *pool);

#endif
