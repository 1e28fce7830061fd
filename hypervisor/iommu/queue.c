/* Commands for a unit, and the wait for its answer. */
#include "iommu/queue.h"

#include <arch/barrier.h>
#include <arch/clock.h>

#include "pci/function.h"
#include "util/check.h"

#define ANSWER_NS 1000000000u

void queue_put(struct iommu_queue *q, uint64_t low, uint64_t high)
{
    q->commands[2 * q->tail] = low;
    q->commands[2 * q->tail + 1] = high;
    q->tail = (q->tail + 1) % QUEUE_LEN;
}

void queue_finish(struct iommu_queue *q, uint64_t low, uint64_t high)
{
    uint64_t limit = clock_now() + ANSWER_NS;

    queue_put(q, low, high);
    barrier_full(); /* the unit reads tables and commands after the next store */
    device_write(q->tail_place, 8, (uint64_t)q->tail << 4);
    while (*q->answer != q->asked)
        CHECK(clock_now() < limit);
}
