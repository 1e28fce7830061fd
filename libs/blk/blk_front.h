/*
 * A small front end of a block device, for tests and tiny guests: one ring of
 * its own pages, requests written one by one. What it grants, and how it tells
 * the back end of it, is the caller's affair.
 */
#ifndef BLK_FRONT_H
#define BLK_FRONT_H

#include <abi/blk.h>
#include <abi/event.h>

#include <ring.h>

struct blk_front {
    struct ring_front ring;
    evtchn_port_t port;
};

/* Makes a fresh ring in pages of the caller; port: an unbound one for the back end. */
void blk_front_init(struct blk_front *f, void *pages, size_t page_count, evtchn_port_t port);

static inline uint32_t blk_front_room(const struct blk_front *f)
{
    return ring_front_room(&f->ring);
}

/* Queues a request; the operation is BLKIF_OP_READ or _WRITE. Only if there is room. */
void blk_front_transfer(struct blk_front *f, uint64_t id, uint8_t operation, uint64_t sector,
                        const struct blkif_request_segment *segments, uint32_t count);

/* The same with its segments in a granted page, written by the caller. */
void blk_front_indirect(struct blk_front *f, uint64_t id, uint8_t operation, uint64_t sector,
                        grant_ref_t page, uint32_t count);

void blk_front_flush(struct blk_front *f, uint64_t id);
void blk_front_discard(struct blk_front *f, uint64_t id, uint64_t sector, uint64_t sectors);

/* Publishes what was queued and wakes the back end if it wants to be woken. */
void blk_front_kick(struct blk_front *f);

/*
 * The next answer. 1: there is one, 0: none (and the back end sends an event
 * with the next), -XEN_EIO: the back end breaks the protocol.
 */
int blk_front_answer(struct blk_front *f, struct blkif_response *r);

#endif
