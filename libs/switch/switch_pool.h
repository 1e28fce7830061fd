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
#define SWITCH_PARTS_MAX  128u
/* Pages that hold the heads of all made frames; those given first are taken for it. */
#define SWITCH_HEAD_PAGES (SWITCH_MADE_MAX * SWITCH_HEAD_SIZE / 4096u)

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

struct switch_page {
    uint8_t *page;
    uint64_t dma;
};

/* A frame of the switch's own. */
struct switch_made {
    struct net_packet packet; /* first: from == &pool->port */
    struct net_tag tag;
    struct switch_made *next;    /* in a queue, or of the free ones */
    struct net_packet *original; /* what it is to become a copy of; NULL: it is complete */
    struct switch_made *parent;  /* whose pages its pieces lie in; NULL: its own */
    uint8_t *room;               /* SWITCH_HEAD_SIZE bytes */
    uint64_t room_dma;
    uint16_t page_count;
    uint16_t pages[NET_PIECES_MAX]; /* numbers of pool->pages */
};

struct switch_pool {
    const struct switch_pool_driver *driver;
    void *context;
    struct net_port port; /* where made frames come from and go back to */
    struct switch_made *free;
    uint16_t made_count; /* that have a head */
    uint16_t page_count, free_pages;
    uint16_t free_list[SWITCH_PAGES_MAX];
    struct switch_page pages[SWITCH_PAGES_MAX];
    struct switch_part parts[SWITCH_PARTS_MAX];
    struct switch_made made[SWITCH_MADE_MAX];
};

/* What waits to go out of a port, oldest first. */
struct switch_queue {
    struct switch_made *first, *last;
    uint32_t bytes;
    uint16_t count;
    uint16_t pages;
    uint32_t cut; /* payload bytes of the first that are sent already, as segments */
};

void switch_pool_init(struct switch_pool *pool, const struct switch_pool_driver *driver,
                      void *context);

/* Gives it a page, for good. Useful: SWITCH_HEAD_PAGES + 32 or more. -XEN_ENOSPC: it has enough. */
int switch_pool_give(struct switch_pool *pool, uint8_t *page, uint64_t dma);

#endif
