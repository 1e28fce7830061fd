/* Byte rings: one end takes, one end puts. */
#include "ring.h"

#include <shm.h>

void ring_reader_init(struct ring_reader *r, const void *data, uint32_t size, const uint32_t *prod,
                      uint32_t *cons)
{
    uint32_t at = shm_read32(cons);

    *r = (struct ring_reader){data, prod, cons, size, at, at, false};
}

void ring_writer_init(struct ring_writer *w, void *data, uint32_t size, uint32_t *prod,
                      const uint32_t *cons)
{
    *w = (struct ring_writer){data, prod, cons, size, shm_read32(prod)};
}

void ring_reader_resume(struct ring_reader *r, uint32_t at)
{
    r->at = at;
    r->before = at;
    shm_write32(r->cons, at);
}

int ring_reader_count(const struct ring_reader *r)
{
    return ring_distance(shm_read32(r->prod), r->at, r->size);
}

int ring_reader_look(const struct ring_reader *r, size_t skip, void *to, size_t len)
{
    int count = ring_reader_count(r);

    if (count < 0)
        return count;
    if ((size_t)count <= skip)
        return 0;
    shm_barrier_read();
    if ((size_t)count - skip < len)
        len = (size_t)count - skip;

    size_t start = (r->at + skip) & (r->size - 1);
    size_t first = r->size - start < len ? r->size - start : len;

    shm_copy_in(to, r->data + start, first);
    if (len > first)
        shm_copy_in((uint8_t *)to + first, r->data, len - first);
    return (int)len;
}

void ring_reader_pass(struct ring_reader *r, size_t len)
{
    int count = ring_reader_count(r);

    /*
     * A peer that went to sleep for want of room had filled the ring up to one
     * size behind an index of ours; it has seen all but the last one published.
     */
    if (count < 0 || r->at + (uint32_t)count - r->before >= r->size)
        r->stalled = true;
    r->before = r->at;
    r->at += (uint32_t)len;
    /* The bytes are ours before the peer may write over them. */
    shm_barrier_read();
    shm_write32(r->cons, r->at);
    /* A peer that is told only when all was taken looks at this after it put more. */
    shm_barrier_full();
}

int ring_reader_take(struct ring_reader *r, void *to, size_t len)
{
    int count = ring_reader_look(r, 0, to, len);

    if (count > 0)
        ring_reader_pass(r, (size_t)count);
    return count;
}

bool ring_reader_notify(struct ring_reader *r)
{
    bool stalled = r->stalled;

    r->stalled = false;
    return stalled;
}

int ring_writer_room(const struct ring_writer *w)
{
    int used = ring_distance(w->at, shm_read32(w->cons), w->size);

    return used < 0 ? used : (int)w->size - used;
}

int ring_writer_put(struct ring_writer *w, const void *from, size_t len)
{
    int room = ring_writer_room(w);

    if (room <= 0)
        return room;
    shm_barrier_full();
    if ((size_t)room < len)
        len = (size_t)room;

    size_t start = w->at & (w->size - 1);
    size_t first = w->size - start < len ? w->size - start : len;

    shm_copy_out(w->data + start, from, first);
    if (len > first)
        shm_copy_out(w->data, (const uint8_t *)from + first, len - first);
    w->at += (uint32_t)len;
    shm_barrier_write();
    shm_write32(w->prod, w->at);
    return (int)len;
}
