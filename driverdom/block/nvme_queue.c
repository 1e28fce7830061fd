/* A pair of NVMe queues: commands one way, completions the other, doorbells for batches. */
#include <string.h>

#include <mmio.h>
#include <shm.h>

#include "nvme.h"

struct nvme_command *nvme_queue_next(struct nvme_queue *q)
{
    struct nvme_command *c = &q->commands[q->tail];

    memset(c, 0, sizeof(*c));
    return c;
}

void nvme_queue_push(struct nvme_queue *q)
{
    q->tail = q->tail + 1 == q->depth ? 0 : q->tail + 1;
}

void nvme_queue_kick(struct nvme_queue *q)
{
    if (q->tail == q->told_tail)
        return;
    shm_barrier_write();
    mmio_write32(q->tail_bell, q->tail);
    q->told_tail = q->tail;
}

/* The status goes last, with the phase that makes an entry new. */
bool nvme_queue_take(struct nvme_queue *q, struct nvme_completion *c)
{
    const struct nvme_completion *at = &q->completions[q->head];
    uint16_t status = shm_read16(&at->status);

    if ((status & 1) != q->phase)
        return false;
    shm_barrier_read();
    *c = (struct nvme_completion){
        .result = shm_read32(&at->result), .id = shm_read16(&at->id), .status = status};
    if (++q->head == q->depth) {
        q->head = 0;
        q->phase ^= 1;
    }
    return true;
}

void nvme_queue_done(struct nvme_queue *q)
{
    if (q->head == q->told_head)
        return;
    mmio_write32(q->head_bell, q->head);
    q->told_head = q->head;
}

void nvme_queue_reset(struct nvme_queue *q)
{
    memset(q->completions, 0, q->depth * sizeof(q->completions[0]));
    q->tail = q->told_tail = q->head = q->told_head = 0;
    q->phase = 1;
}
