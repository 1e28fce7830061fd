/* Split queues. Whatever the device writes into shared memory, our chains are our own. */
#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/memory.h>
#include <shm.h>

#include "virtio.h"

#define COMMON_QUEUES            18u
#define COMMON_QUEUE_SELECT      22u
#define COMMON_QUEUE_SIZE        24u
#define COMMON_QUEUE_VECTOR      26u
#define COMMON_QUEUE_ENABLE      28u
#define COMMON_QUEUE_NOTIFY      30u
#define COMMON_QUEUE_DESCRIPTORS 32u
#define COMMON_QUEUE_AVAIL       40u
#define COMMON_QUEUE_USED        48u

/* The second page: available ring, then used ring. */
#define USED_OFFSET 1024u
#define USED_RING   4u
#define AVAIL_RING  2u /* in halves of a word */
#define QUIET       1u /* flag of either ring: its owner looks by itself */

_Static_assert(sizeof(struct virtq_descriptor) == 16, "descriptor");
_Static_assert(VIRTQ_SIZE * sizeof(struct virtq_descriptor) <= PAGE_SIZE, "descriptors");
_Static_assert(USED_OFFSET >= 6 + 2 * VIRTQ_SIZE, "available ring");
_Static_assert(USED_OFFSET + 6 + 8 * VIRTQ_SIZE <= PAGE_SIZE, "used ring");

static void address_write(const struct virtio *v, uint32_t at, const void *p)
{
    uint64_t address = memory_dma_address(p);

    mmio_write32(v->common + at, (uint32_t)address);
    mmio_write32(v->common + at + 4, (uint32_t)(address >> 32));
}

int virtq_start(struct virtq *q, struct virtio *v, uint16_t vector, const char **why)
{
    volatile uint8_t *common = v->common;

    *why = "has no such queue";
    mmio_write16(common + COMMON_QUEUE_SELECT, q->number);
    q->size = mmio_read16(common + COMMON_QUEUE_SIZE);
    if (q->number >= mmio_read16(common + COMMON_QUEUES) || q->size < 4 ||
        (q->size & (q->size - 1)) != 0)
        return -XEN_ENODEV;
    if (q->size > VIRTQ_SIZE)
        q->size = VIRTQ_SIZE;

    uint64_t bell = (uint64_t)mmio_read16(common + COMMON_QUEUE_NOTIFY) * v->notify_step;

    *why = "has its doorbell outside its registers";
    if (bell + 2 > v->notify_len)
        return -XEN_ENODEV;
    q->bell = v->notify + bell;

    memset(q->descriptors, 0, PAGE_SIZE);
    memset(q->avail, 0, PAGE_SIZE);
    memset(q->heads, 0, sizeof(q->heads));
    for (uint32_t i = 0; i < q->size; i++)
        q->next[i] = (uint16_t)(i + 1);
    q->free = 0;
    q->free_count = q->size;
    q->avail_index = q->used_index = q->told_index = 0;
    q->has_events = v->features & VIRTIO_F_EVENT_IDX;

    mmio_write16(common + COMMON_QUEUE_SIZE, (uint16_t)q->size);
    mmio_write16(common + COMMON_QUEUE_VECTOR, vector);
    *why = "takes no interrupt for its queue";
    if (mmio_read16(common + COMMON_QUEUE_VECTOR) != vector)
        return -XEN_ENODEV;
    address_write(v, COMMON_QUEUE_DESCRIPTORS, q->descriptors);
    address_write(v, COMMON_QUEUE_AVAIL, q->avail);
    address_write(v, COMMON_QUEUE_USED, q->used);
    mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
    *why = NULL;
    return 0;
}

int virtq_open(struct virtq *q, struct virtio *v, uint16_t number, uint16_t vector,
               const char **why)
{
    uint8_t *rings = memory_pages_alloc(1);

    *q = (struct virtq){.number = number, .descriptors = memory_pages_alloc(1)};
    *why = "needs more memory than there is";
    if (!rings || !q->descriptors)
        return -XEN_ENOMEM;
    q->avail = (uint16_t *)(void *)rings;
    q->used = rings + USED_OFFSET;
    return virtq_start(q, v, vector, why);
}

uint16_t virtq_put(struct virtq *q, const struct virtq_piece *pieces, uint32_t count)
{
    uint16_t head = q->free;

    for (uint32_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        uint16_t at = q->free;

        q->free = q->next[at];
        q->descriptors[at] = (struct virtq_descriptor){
            .address = pieces[i].address,
            .len = pieces[i].len,
            .flags = (uint16_t)((pieces[i].written ? VIRTQ_WRITE : 0) | (last ? 0 : VIRTQ_NEXT)),
            .next = last ? 0 : q->free,
        };
    }
    q->free_count -= count;
    q->heads[head] = (uint16_t)count;
    shm_write16(&q->avail[AVAIL_RING + (q->avail_index & (q->size - 1))], head);
    q->avail_index++;
    shm_barrier_write();
    shm_write16(&q->avail[1], q->avail_index);
    return head;
}

static uint16_t used_half(const struct virtq *q, size_t at)
{
    return shm_read16((const uint16_t *)(const void *)(q->used + at));
}

/* The device may say that it looks by itself, or how far it has already seen. */
static bool wants_kick(const struct virtq *q)
{
    if (!q->has_events)
        return !(used_half(q, 0) & QUIET);

    uint16_t event = used_half(q, USED_RING + 8u * q->size);

    return (uint16_t)(q->avail_index - event - 1) < (uint16_t)(q->avail_index - q->told_index);
}

void virtq_kick(struct virtq *q)
{
    if (q->avail_index == q->told_index)
        return;
    shm_barrier_full();
    if (wants_kick(q))
        mmio_write16(q->bell, q->number);
    q->told_index = q->avail_index;
}

void virtq_quiet(struct virtq *q)
{
    if (q->has_events)
        shm_write16(&q->avail[AVAIL_RING + q->size], (uint16_t)(q->used_index - 1));
    else
        shm_write16(&q->avail[0], QUIET);
}

bool virtq_loud(struct virtq *q)
{
    if (q->has_events)
        shm_write16(&q->avail[AVAIL_RING + q->size], q->used_index);
    else
        shm_write16(&q->avail[0], 0);
    shm_barrier_full();
    return used_half(q, 2) == q->used_index;
}

/* Puts a chain back on the free list: its descriptors are linked in our own array. */
static void chain_free(struct virtq *q, uint16_t head)
{
    uint16_t last = head;

    for (uint32_t i = 1; i < q->heads[head]; i++)
        last = q->next[last];
    q->next[last] = q->free;
    q->free = head;
    q->free_count += q->heads[head];
    q->heads[head] = 0;
}

int virtq_take(struct virtq *q, uint32_t *written)
{
    const uint8_t *used = q->used;

    for (uint32_t looked = 0; looked < q->size; looked++) {
        if (used_half(q, 2) == q->used_index)
            return -XEN_ENOENT;
        shm_barrier_read();

        size_t at = USED_RING + 8u * (q->used_index & (q->size - 1));
        uint32_t id = shm_read32((const uint32_t *)(const void *)(used + at));

        *written = shm_read32((const uint32_t *)(const void *)(used + at + 4));
        q->used_index++;
        if (id >= q->size || q->heads[id] == 0)
            continue;
        chain_free(q, (uint16_t)id);
        return (int)id;
    }
    return -XEN_ENOENT;
}
