/* Slot rings: requests one way, responses the other, in the same slots. */
#include "ring.h"

#include <shm.h>

static void *slot(void *page, uint32_t count, uint32_t slot_size, uint32_t index)
{
    return (uint8_t *)page + RING_HEADER + (size_t)(index & (count - 1)) * slot_size;
}

int ring_back_attach(struct ring_back *b, void *page, size_t bytes, size_t slot_size)
{
    struct ring_header *header = page;
    uint32_t published = shm_read32(&header->rsp_prod);

    *b = (struct ring_back){.page = page,
                            .count = ring_slot_count(bytes, slot_size),
                            .slot_size = (uint32_t)slot_size,
                            .req_cons = published,
                            .rsp_prod = published,
                            .told = published};
    int pending = ring_back_pending(b);

    return pending < 0 ? pending : 0;
}

/* Bounded by the responses: what is unanswered still fills its slot. */
int ring_back_pending(const struct ring_back *b)
{
    const struct ring_header *header = b->page;
    uint32_t claim = shm_read32(&header->req_prod);
    int unanswered = ring_distance(claim, b->rsp_prod, b->count);

    if (unanswered < 0)
        return unanswered;
    shm_barrier_read();
    /* The index may not go back behind what was taken either. */
    return ring_distance(claim, b->req_cons, b->count);
}

void ring_back_take(struct ring_back *b, void *request)
{
    shm_copy_in(request, slot(b->page, b->count, b->slot_size, b->req_cons), b->slot_size);
    b->req_cons++;
}

void ring_back_answer(struct ring_back *b, const void *response, size_t len)
{
    shm_copy_out(slot(b->page, b->count, b->slot_size, b->rsp_prod), response, len);
}

void ring_back_publish(struct ring_back *b)
{
    ring_back_publish_many(b, 1);
}

void *ring_back_slot(const struct ring_back *b, uint32_t n)
{
    return slot(b->page, b->count, b->slot_size, b->rsp_prod + n);
}

void ring_back_publish_many(struct ring_back *b, uint32_t count)
{
    struct ring_header *header = b->page;

    b->rsp_prod += count;
    shm_barrier_write();
    shm_write32(&header->rsp_prod, b->rsp_prod);
}

bool ring_back_notify(struct ring_back *b)
{
    const struct ring_header *header = b->page;

    shm_barrier_full();
    bool wanted = ring_passes(b->told, b->rsp_prod, shm_read32(&header->rsp_event));

    b->told = b->rsp_prod;
    return wanted;
}

int ring_back_rest(struct ring_back *b)
{
    return ring_back_rest_until(b, 1);
}

int ring_back_rest_until(struct ring_back *b, uint32_t count)
{
    struct ring_header *header = b->page;
    int pending = ring_back_pending(b);

    if (pending < 0 || (uint32_t)pending >= count)
        return pending;
    shm_write32(&header->req_event, b->req_cons + count);
    shm_barrier_full();
    return ring_back_pending(b);
}

void ring_front_init(struct ring_front *f, void *page, size_t bytes, size_t slot_size)
{
    struct ring_header *header = page;

    *f = (struct ring_front){
        .page = page, .count = ring_slot_count(bytes, slot_size), .slot_size = (uint32_t)slot_size};
    shm_clear(page, RING_HEADER);
    shm_write32(&header->req_event, 1);
    shm_write32(&header->rsp_event, 1);
}

void ring_front_ask(struct ring_front *f, const void *request, size_t len)
{
    shm_copy_out(slot(f->page, f->count, f->slot_size, f->req_prod), request, len);
    f->req_prod++;
}

bool ring_front_publish(struct ring_front *f)
{
    struct ring_header *header = f->page;
    uint32_t before = f->told;

    shm_barrier_write();
    shm_write32(&header->req_prod, f->req_prod);
    shm_barrier_full();
    f->told = f->req_prod;
    return ring_passes(before, f->req_prod, shm_read32(&header->req_event));
}

/* A response can only answer a request that was published. */
int ring_front_pending(const struct ring_front *f)
{
    const struct ring_header *header = f->page;
    int pending = ring_distance(shm_read32(&header->rsp_prod), f->rsp_cons, f->told - f->rsp_cons);

    shm_barrier_read();
    return pending;
}

void ring_front_take(struct ring_front *f, void *response, size_t len)
{
    shm_copy_in(response, slot(f->page, f->count, f->slot_size, f->rsp_cons), len);
    f->rsp_cons++;
}

int ring_front_rest(struct ring_front *f)
{
    struct ring_header *header = f->page;
    int pending = ring_front_pending(f);

    if (pending != 0)
        return pending;
    shm_write32(&header->rsp_event, f->rsp_cons + 1);
    shm_barrier_full();
    return ring_front_pending(f);
}
