/*
 * Rings in shared memory: byte streams (store, console) and slots of requests
 * and responses (block, network). Our own index lives in our structure and is
 * never read back; the peer's index is a claim, checked by one subtraction.
 *
 * Where a function says "broken", the peer claims more than fits: -XEN_EIO.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>

/* ---- bytes ----------------------------------------------------------------------------------- */

/* One direction of a byte ring, the end that takes. size is a power of two. */
struct ring_reader {
    const uint8_t *data;  /* shared */
    const uint32_t *prod; /* shared, the peer's */
    uint32_t *cons;       /* shared, ours to publish */
    uint32_t size;
    uint32_t at;     /* our index */
    uint32_t before; /* our index before it was last published */
    bool stalled;    /* the peer may have found the ring full since the last look */
};

/* The end that puts. */
struct ring_writer {
    uint8_t *data;        /* shared */
    uint32_t *prod;       /* shared, ours to publish */
    const uint32_t *cons; /* shared, the peer's */
    uint32_t size;
    uint32_t at; /* our index */
};

/* Continues where the shared index says (0 on a fresh page). */
void ring_reader_init(struct ring_reader *r, const void *data, uint32_t size, const uint32_t *prod,
                      uint32_t *cons);
void ring_writer_init(struct ring_writer *w, void *data, uint32_t size, uint32_t *prod,
                      const uint32_t *cons);

/* Continues at an index of ours that was kept elsewhere, and publishes it. */
void ring_reader_resume(struct ring_reader *r, uint32_t at);

/* Bytes that can be taken, or broken. */
int ring_reader_count(const struct ring_reader *r);

/* Takes at most len bytes and publishes that: how many, or broken. */
int ring_reader_take(struct ring_reader *r, void *to, size_t len);

/*
 * The same in two steps, for who must not lose bytes when it dies in between:
 * copies what stands `skip` bytes further on and takes nothing (how many, or
 * broken); takes and publishes len bytes that were looked at.
 */
int ring_reader_look(const struct ring_reader *r, size_t skip, void *to, size_t len);
void ring_reader_pass(struct ring_reader *r, size_t len);

/*
 * Whether the peer may be waiting for the room that was made since the last call,
 * so that it must be told. A peer that asks for room must look again after it
 * found none, before it sleeps.
 */
bool ring_reader_notify(struct ring_reader *r);

/* Bytes that can be put, or broken. */
int ring_writer_room(const struct ring_writer *w);

/* Puts at most len bytes and publishes that: how many, or broken. */
int ring_writer_put(struct ring_writer *w, const void *from, size_t len);

/* ---- slots ----------------------------------------------------------------------------------- */

/*
 * A slot ring as blkif and netif lay it out: four indices and padding, 64 bytes,
 * then as many slots as fit, rounded down to a power of two.
 */
#define RING_HEADER 64u

struct ring_header {
    uint32_t req_prod;
    uint32_t req_event;
    uint32_t rsp_prod;
    uint32_t rsp_event;
};

/* Slots of a ring of `bytes` bytes in all. */
static inline uint32_t ring_slot_count(size_t bytes, size_t slot_size)
{
    size_t count = (bytes - RING_HEADER) / slot_size;

    return count == 0 ? 0 : 1u << (31 - __builtin_clz((uint32_t)count));
}

/* Entries from our index to the peer's, or broken. */
static inline int ring_distance(uint32_t claim, uint32_t own, uint32_t count)
{
    uint32_t distance = claim - own;

    return distance <= count ? (int)distance : -XEN_EIO;
}

/* Whether moving an index from `from` to `to` passes what the peer waits for. */
static inline bool ring_passes(uint32_t from, uint32_t to, uint32_t event)
{
    return to - event < to - from;
}

/* The end that answers. */
struct ring_back {
    void *page; /* shared */
    uint32_t count;
    uint32_t slot_size;
    uint32_t req_cons; /* requests copied out */
    uint32_t rsp_prod; /* responses published */
    uint32_t told;     /* rsp_prod when we last looked whether to notify */
};

/*
 * Attaches to a ring whose front end has set it up, or that a predecessor
 * served: continues at the published response index. bytes is that of all ring
 * pages. 0, or broken.
 */
int ring_back_attach(struct ring_back *b, void *page, size_t bytes, size_t slot_size);

/* Requests not yet taken, or broken. */
int ring_back_pending(const struct ring_back *b);

/* Copies the next request out and counts it as taken. Only if one is pending. */
void ring_back_take(struct ring_back *b, void *request);

/* Writes one response into the next slot, len bytes; not yet published. */
void ring_back_answer(struct ring_back *b, const void *response, size_t len);

/* Publishes the response that ring_back_answer wrote. */
void ring_back_publish(struct ring_back *b);

/*
 * The same for what is answered by several slots at once. The n-th slot behind
 * the published ones, for its owner to write through shm; and their publication.
 */
void *ring_back_slot(const struct ring_back *b, uint32_t n);
void ring_back_publish_many(struct ring_back *b, uint32_t count);

/* Whether the front end wants an event for what was published since the last call. */
bool ring_back_notify(struct ring_back *b);

/*
 * Asks for an event at the next request and looks a last time: requests pending,
 * or broken. Only at 0 may the caller sleep.
 */
int ring_back_rest(struct ring_back *b);

/* The same for who needs several: asks for an event when so many are pending. */
int ring_back_rest_until(struct ring_back *b, uint32_t count);

/* The end that asks. */
struct ring_front {
    void *page; /* shared */
    uint32_t count;
    uint32_t slot_size;
    uint32_t req_prod; /* requests written */
    uint32_t rsp_cons; /* responses taken */
    uint32_t told;     /* req_prod when it was last published */
};

/* Makes a fresh ring of zeroed indices. */
void ring_front_init(struct ring_front *f, void *page, size_t bytes, size_t slot_size);

/* Slots free for requests. */
static inline uint32_t ring_front_room(const struct ring_front *f)
{
    return f->count - (f->req_prod - f->rsp_cons);
}

/* Writes one request, len bytes; not yet published. Only if there is room. */
void ring_front_ask(struct ring_front *f, const void *request, size_t len);

/* Publishes what was written; whether the back end wants an event. */
bool ring_front_publish(struct ring_front *f);

/* Responses not yet taken, or broken. */
int ring_front_pending(const struct ring_front *f);

/* Copies len bytes of the next response out and counts it as taken. */
void ring_front_take(struct ring_front *f, void *response, size_t len);

/* As ring_back_rest, for responses. */
int ring_front_rest(struct ring_front *f);

_Static_assert(sizeof(struct ring_header) == 16, "ring indices");

#endif
