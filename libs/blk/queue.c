/*
 * Requests in flight and their answers, one at a time and in ring order. The order
 * of stores here, and what a successor makes of them, is tests/model/blk.pml's.
 */
#include "blk_queue.h"

#include <string.h>

#include <shm.h>

static void redo_write(struct blk_redo *redo, uint32_t index, const struct blkif_response *r)
{
    shm_write64(&redo->tag, 0);
    shm_write64(&redo->id, r->id);
    shm_write32(&redo->operation, r->operation);
    shm_write32((uint32_t *)&redo->status, (uint32_t)r->status);
    shm_write64(&redo->tag, BLK_REDO_VALID | index);
}

static void response_publish(struct blk_queue *q, const struct blkif_response *r)
{
    ring_back_answer(&q->ring, r, sizeof(*r));
    ring_back_publish(&q->ring);
}

/* The operations and statuses that an answer of ours can have. */
static bool redo_is_sane(uint32_t operation, int32_t status)
{
    return operation <= UINT8_MAX && status <= BLKIF_RSP_OKAY && status >= BLKIF_RSP_EOPNOTSUPP;
}

/* Finishes the answer that the record names, if it was not published. */
static void redo_finish(struct blk_queue *q)
{
    struct blk_redo copy;

    shm_copy_in(&copy, q->redo, sizeof(copy));
    if (copy.tag != (BLK_REDO_VALID | q->ring.rsp_prod) || ring_back_pending(&q->ring) == 0 ||
        !redo_is_sane(copy.operation, copy.status))
        return;

    struct blkif_response r;

    memset(&r, 0, sizeof(r));
    r.id = copy.id;
    r.operation = (uint8_t)copy.operation;
    r.status = (int16_t)copy.status;
    response_publish(q, &r);
    q->ring.req_cons++;
}

int blk_queue_attach(struct blk_queue *q, void *page, size_t bytes, struct blk_redo *redo,
                     bool adopt)
{
    *q = (struct blk_queue){.redo = redo};
    int rc = ring_back_attach(&q->ring, page, bytes, BLK_SLOT_SIZE);

    if (rc < 0)
        return rc;
    if (adopt)
        redo_finish(q);
    else
        shm_write64(&redo->tag, 0);
    return 0;
}

void blk_queue_push(struct blk_queue *q, struct blk_job *job)
{
    job->next = NULL;
    if (q->last)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
    q->flying++;
}

static int16_t job_status(const struct blk_job *job)
{
    if (job->status != BLKIF_RSP_OKAY)
        return job->status;
    switch (job->io.result) {
    case BLK_DONE: return BLKIF_RSP_OKAY;
    case BLK_UNSUPPORTED: return BLKIF_RSP_EOPNOTSUPP;
    default: return BLKIF_RSP_ERROR;
    }
}

struct blk_job *blk_queue_answer(struct blk_queue *q)
{
    struct blk_job *job = q->first;
    struct blkif_response r;

    memset(&r, 0, sizeof(r));
    r.id = job->id;
    r.operation = job->operation;
    r.status = job_status(job);
    redo_write(q->redo, q->ring.rsp_prod, &r);
    response_publish(q, &r);

    q->first = job->next;
    if (!q->first)
        q->last = NULL;
    q->flying--;
    return job;
}
