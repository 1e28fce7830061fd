/*
 * The back end of a block device: takes requests from a front end's rings, has
 * them done by a disk with the data going straight between the device and the
 * front end's pages, and answers them in ring order.
 *
 * The caller drives it: after any wake, blk_back_answer and blk_back_take until
 * neither does anything, with the disk polled before and kicked after.
 */
#ifndef BLK_BACK_H
#define BLK_BACK_H

#include <abi/event.h>

#include <blk_pages.h>
#include <blk_queue.h>

#define BLK_QUEUES_MAX     4u
#define BLK_RING_ORDER_MAX 4u
#define BLK_RING_PAGES_MAX (1u << BLK_RING_ORDER_MAX)
/* Requests of one device that are worked on at a time; the others wait in their ring. */
#define BLK_JOBS_MAX       128u

/* Guest-physical space that one back end needs, in pages. */
#define BLK_BACK_SPACE (BLK_PAGES_MAX + BLK_QUEUES_MAX * BLK_RING_PAGES_MAX)

/* What a front end asks for when it connects; every value is its claim. */
struct blk_link {
    domid_t peer;
    bool persistent;
    uint32_t queue_count;
    uint32_t ring_order;
    struct {
        evtchn_port_t port; /* the front end's */
        grant_ref_t refs[BLK_RING_PAGES_MAX];
    } queues[BLK_QUEUES_MAX];
};

/* Of requests that are answered. */
struct blk_counters {
    uint64_t reads, writes, flushes, errors;
    uint64_t sectors_read, sectors_written;
};

struct blk_back {
    struct blk_volume volume;
    bool connected;
    bool starved;       /* requests wait for pages that are in use */
    const char *broken; /* how the front end broke the protocol; NULL: it has not */
    uint32_t queue_count;
    uint32_t ring_pages;
    evtchn_port_t ports[BLK_QUEUES_MAX]; /* ours; 0: none */
    struct blk_queue queues[BLK_QUEUES_MAX];
    uint8_t *ring_space;
    struct gnttab_map_grant_ref ring_maps[BLK_QUEUES_MAX * BLK_RING_PAGES_MAX];
    struct blk_pages pages;
    struct blk_batch *batch;
    struct blk_job *free_jobs;
    struct blk_job jobs[BLK_JOBS_MAX];
    struct blk_counters counters;
    uint64_t requests, events;
};

/* Before the first connect. space: BLK_BACK_SPACE pages; the batch may serve several back ends. */
void blk_back_init(struct blk_back *b, const struct blk_volume *volume, void *space,
                   struct blk_batch *batch);

/*
 * Connects to a front end: maps its rings, binds its ports (the caller opens
 * b->ports). redo: one record per queue. adopt: a predecessor served these
 * rings; every peer then gets an event. 0, or an error, with the reason in *why.
 */
int blk_back_connect(struct blk_back *b, const struct blk_link *link, struct blk_redo *redo,
                     bool adopt, const char **why);

/* Takes requests and gives them to the disk; whether there were any. */
bool blk_back_take(struct blk_back *b);

/* Answers what is done; whether there was anything. */
bool blk_back_answer(struct blk_back *b);

/* One page of its rings, chosen by `pick`; only while it is connected. */
void *blk_back_ring_page(const struct blk_back *b, uint64_t pick);

/* No I/O of this device is at the disk: it can be disconnected. */
bool blk_back_is_drained(const struct blk_back *b);

/* Unmaps everything and closes the ports. Only when drained; unanswered requests stay so. */
void blk_back_disconnect(struct blk_back *b);

#endif
