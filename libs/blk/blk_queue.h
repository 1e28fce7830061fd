/*
 * One ring of a block device: its requests in flight, in ring order, and how
 * they are answered so that a successor loses none.
 *
 * A response overwrites its request. So, for each answer: every grant of the
 * request that is not cached is unmapped; the redo record is written, its tag
 * last; the response body; the published index. Whoever finds the ring after a
 * death between two of these stores can finish the answer (blk_queue_attach),
 * and every slot from there on still holds its request.
 */
#ifndef BLK_QUEUE_H
#define BLK_QUEUE_H

#include <abi/blk.h>

#include <blk_disk.h>
#include <blk_request.h>
#include <ring.h>

/* In memory that survives this domain's death; read as hostile input afterwards. */
struct blk_redo {
    uint64_t tag; /* BLK_REDO_VALID and the ring index of the answer; 0: none */
    uint64_t id;
    uint32_t operation;
    int32_t status;
};
#define BLK_REDO_VALID (1ull << 63)

/* One request in flight. Answered when io.done and all before it are answered. */
struct blk_job {
    struct blk_job *next;
    struct blk_io io;
    uint64_t id;
    uint8_t operation;
    int16_t status; /* other than BLKIF_RSP_OKAY: whatever io says */
    bool put;       /* its pages were given back */
    bool held;      /* a flush that waits for what is before it */
    uint16_t page_count;
    uint16_t indirect_page; /* BLK_PAGES_NONE without */
    uint16_t pages[BLK_SEGMENTS_MAX];
    struct blk_span spans[BLK_SEGMENTS_MAX];
};

struct blk_queue {
    struct ring_back ring;
    struct blk_redo *redo;
    struct blk_job *first, *last;
    uint32_t flying;
};

/*
 * Attaches to ring pages that a front end set up, or that a predecessor served:
 * then (adopt) an answer that the redo record shows begun is finished. 0, or
 * -XEN_EIO: the peer breaks the protocol.
 */
int blk_queue_attach(struct blk_queue *q, void *page, size_t bytes, struct blk_redo *redo,
                     bool adopt);

void blk_queue_push(struct blk_queue *q, struct blk_job *job);

/* Publishes the answer of the first job and takes it off the queue. Its pages are put already. */
struct blk_job *blk_queue_answer(struct blk_queue *q);

#endif
