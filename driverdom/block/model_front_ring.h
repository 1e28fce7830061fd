/*
 * A model of a stock block front end: its requests and what it makes of answers.
 *
 * Like Linux's it gives an id again only after its answer, loses its device for
 * good at an answer that names no request of its own, or another operation, and
 * wants its grants back with each answer, unless they are persistent.
 */
#ifndef MODEL_FRONT_RING_H
#define MODEL_FRONT_RING_H

#include "model_front.h"

/* ---- asking ---------------------------------------------------------------------------------- */

static struct front_shadow *front_shadow_get(struct front_queue *q)
{
    uint16_t id = 0;

    while (q->shadows[id].used)
        id++;
    q->shadows[id] = (struct front_shadow){.used = true};
    q->order[q->ring.ring.req_prod % q->ring.ring.count] = id;
    q->flying++;
    return &q->shadows[id];
}

static uint64_t front_id(const struct front_queue *q, const struct front_shadow *s)
{
    return (uint64_t)(s - q->shadows);
}

/* Sectors of a guest's requests under way do not overlap where one writes. */
static bool front_is_free(const struct front *f, uint32_t sector, uint32_t sectors, bool write)
{
    for (uint32_t s = sector; s < sector + sectors; s++)
        if (f->written[s] || (write && f->readers[s]))
            return false;
    return true;
}

static void front_claim(struct front *f, const struct front_shadow *s)
{
    for (uint32_t i = s->sector; i < s->sector + s->sectors; i++) {
        if (s->operation == BLKIF_OP_READ)
            f->readers[i]++;
        else
            f->written[i] = s->version;
        if (s->operation == BLKIF_OP_DISCARD)
            f->zeroed[i] = s->version;
    }
}

static void front_flush(struct front *f, struct front_queue *q)
{
    struct front_shadow *s;

    if (q->flushing)
        return;
    s = front_shadow_get(q);
    s->operation = BLKIF_OP_FLUSH_DISKCACHE;
    q->flushing = true;
    memcpy(q->covered, f->acked, sizeof(q->covered));
    /* What stands before it in its own ring is answered before it. */
    for (uint32_t i = 0; i < FRONT_SLOTS; i++)
        if (q->shadows[i].used && q->shadows[i].version)
            for (uint32_t n = 0; n < q->shadows[i].sectors; n++)
                q->covered[q->shadows[i].sector + n] = q->shadows[i].version;
    blk_front_flush(&q->ring, front_id(q, s));
}

static void front_discard(struct front *f, struct front_queue *q)
{
    uint32_t sectors = 1 + front_draw(f, 24);
    uint32_t sector = front_draw(f, FRONT_SECTORS - sectors);
    struct front_shadow *s;

    if (!front_is_free(f, sector, sectors, true))
        return;
    s = front_shadow_get(q);
    s->operation = BLKIF_OP_DISCARD;
    s->sector = sector;
    s->sectors = sectors;
    s->version = (f->version += 2) + 1;
    front_claim(f, s);
    blk_front_discard(&q->ring, front_id(q, s), sector, sectors);
}

/* Segments of whole pages, but for a few. Their sectors. */
static uint32_t front_segments(struct front *f, struct blkif_request_segment *segments,
                               uint32_t count)
{
    uint32_t sectors = 0;

    for (uint32_t i = 0; i < count; i++) {
        segments[i] = (struct blkif_request_segment){.first_sect = 0, .last_sect = 7};
        if (front_draw(f, 6) == 0) {
            segments[i].first_sect = (uint8_t)front_draw(f, 8);
            segments[i].last_sect =
                (uint8_t)(segments[i].first_sect + front_draw(f, 8u - segments[i].first_sect));
        }
        sectors += segments[i].last_sect - segments[i].first_sect + 1u;
    }
    return sectors;
}

static void front_transfer(struct front *f, struct front_queue *q, bool write)
{
    struct blkif_request_segment segments[FRONT_SEGMENTS];
    bool indirect = front_draw(f, 3) == 0;
    uint32_t count = 1 + front_draw(f, indirect ? FRONT_SEGMENTS : 4);
    uint32_t sectors = front_segments(f, segments, count);
    uint32_t sector = front_draw(f, FRONT_SECTORS - sectors + 1), at;
    struct front_shadow *s;

    if (!front_is_free(f, sector, sectors, write))
        return;
    s = front_shadow_get(q);
    s->operation = write ? BLKIF_OP_WRITE : BLKIF_OP_READ;
    s->sector = at = sector;
    s->sectors = sectors;
    s->version = write ? f->version += 2 : 0;
    s->count = (uint16_t)count;
    s->indirect = indirect;
    for (uint32_t i = 0; i < count; i++) {
        s->pages[i] = front_page_get(f, write);
        memset(front_page(f, s->pages[i]), 0xee, PAGE_SIZE);
        segments[i].gref = FRONT_REF(f) + s->pages[i];
        for (uint32_t n = segments[i].first_sect; write && n <= segments[i].last_sect; n++)
            front_fill(f, front_page(f, s->pages[i]) + (size_t)n * 512, at++, s->version);
    }
    memcpy(s->segments, segments, sizeof(segments));
    front_claim(f, s);
    if (indirect) {
        s->list = front_page_get(f, true);
        memcpy(front_page(f, s->list), segments, count * sizeof(segments[0]));
        blk_front_indirect(&q->ring, front_id(q, s), s->operation, sector, FRONT_REF(f) + s->list,
                           count);
    } else {
        blk_front_transfer(&q->ring, front_id(q, s), s->operation, sector, segments, count);
    }
}

/* The part of a request that its answer overwrites. */
static void *front_head(const struct front_queue *q, uint32_t index)
{
    return (uint8_t *)q->ring.ring.page + RING_HEADER +
           (size_t)(index % q->ring.ring.count) * BLK_SLOT_SIZE;
}

static void front_ask(struct front *f, struct front_queue *q)
{
    unsigned what = front_draw(f, 16);
    uint32_t index = q->ring.ring.req_prod;

    q->left--;
    f->burst--;
    if (what == 0)
        front_flush(f, q);
    else if (what == 1)
        front_discard(f, q);
    else
        front_transfer(f, q, what < 9);
    if (q->ring.ring.req_prod != index)
        memcpy(q->heads[index % FRONT_SLOTS], front_head(q, index), sizeof(q->heads[0]));
}

/* The next answer of some ring was begun and not published: its request is gone. */
static inline bool front_is_torn(const struct front *f)
{
    bool torn = false;

    for (uint32_t i = 0; f->data && i < f->queue_count; i++) {
        const struct front_queue *q = &f->queues[i];
        uint32_t index = ((const struct ring_header *)q->ring.ring.page)->rsp_prod;

        torn = torn || (index != q->ring.ring.req_prod &&
                        memcmp(q->heads[index % FRONT_SLOTS], front_head(q, index), 16) != 0);
    }
    return torn;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void front_read_check(struct front *f, const struct front_shadow *s)
{
    uint32_t at = s->sector;

    for (uint32_t i = 0; i < s->count; i++)
        for (uint32_t n = s->segments[i].first_sect; n <= s->segments[i].last_sect; n++, at++)
            FRONT_EXPECT(
                f, front_has(f, front_page(f, s->pages[i]) + (size_t)n * 512, at, f->acked[at]));
}

static void front_done(struct front *f, struct front_queue *q, struct front_shadow *s)
{
    if (s->operation == BLKIF_OP_READ)
        front_read_check(f, s);
    for (uint32_t i = s->sector; i < s->sector + s->sectors; i++) {
        if (s->operation == BLKIF_OP_READ) {
            f->readers[i]--;
            continue;
        }
        f->written[i] = 0;
        f->acked[i] = s->version;
    }
    for (uint32_t i = 0; s->operation == BLKIF_OP_FLUSH_DISKCACHE && i < FRONT_SECTORS; i++) {
        f->safe[i] = q->covered[i] > f->safe[i] ? q->covered[i] : f->safe[i];
        FRONT_EXPECT(f, front_is_safe(f, i));
    }
    q->flushing = q->flushing && s->operation != BLKIF_OP_FLUSH_DISKCACHE;
    for (uint32_t i = 0; i < s->count; i++)
        front_page_put(f, s->pages[i]);
    if (s->indirect)
        front_page_put(f, s->list);
    s->used = false;
    q->flying--;
}

static bool front_answers(struct front *f, struct front_queue *q)
{
    struct blkif_response r;
    bool any = false;
    int rc;

    while (!f->broken && (rc = blk_front_answer(&q->ring, &r)) != 0) {
        struct front_shadow *s = r.id < FRONT_SLOTS ? &q->shadows[r.id] : NULL;

        FRONT_EXPECT(f, rc == 1 && s && s->used);
        if (!f->broken)
            FRONT_EXPECT(f, r.operation == s->operation && r.status == BLKIF_RSP_OKAY);
        if (!f->broken)
            front_done(f, q, s);
        any = true;
    }
    return any;
}

/* An answer that just appeared: nobody is at its request's pages any more. */
static void front_look(struct front *f)
{
    for (uint32_t i = 0; f->data && i < f->queue_count; i++) {
        struct front_queue *q = &f->queues[i];
        const struct ring_header *header = q->ring.ring.page;

        for (; q->seen != header->rsp_prod && !f->broken; q->seen++) {
            const struct front_shadow *s = &q->shadows[q->order[q->seen % q->ring.ring.count]];

            for (uint32_t n = 0; s->used && n < s->count; n++)
                FRONT_EXPECT(f, front_is_unused(f, s->pages[n]));
        }
    }
}

/* Of this device; those of the guest's others stay pending. */
static void front_events(struct front *f)
{
    for (uint32_t i = 0; f->data && i < f->queue_count; i++)
        if (event_wait_port(f->queues[i].ring.port, 0) != EVENT_NONE)
            f->queues[i].told = true;
}

/* Takes what is answered, asks for more; whether there was any. */
static bool front_step(struct front *f)
{
    domid_t before = fake_enter(f->domid);
    bool any = false;

    front_look(f);
    front_events(f);
    for (uint32_t i = 0; f->data && i < f->queue_count && !f->broken; i++) {
        struct front_queue *q = &f->queues[i];

        any = (q->told && front_answers(f, q)) || any;
        q->told = false;
        while (q->left > 0 && f->burst > 0 && q->flying < FRONT_DEPTH &&
               blk_front_room(&q->ring) > 0 && !f->broken && front_draw(f, 4) > 0) {
            front_ask(f, q);
            any = true;
        }
        blk_front_kick(&q->ring);
    }
    (void)fake_enter(before);
    return any;
}

/* Everybody sleeps, and all it asked for is answered: it asks for more, if it has not done so. */
static bool front_wake(struct front *f)
{
    uint32_t left = 0, flying = 0;

    for (uint32_t i = 0; f->data && !f->broken && i < f->queue_count; i++) {
        left |= f->queues[i].left;
        flying += f->queues[i].flying;
    }
    if (left == 0 || flying > 0 || f->burst > 0)
        return false;
    f->burst = 1 + front_draw(f, 12);
    return true;
}

static inline bool front_is_idle(const struct front *f)
{
    bool idle = true;

    for (uint32_t i = 0; i < f->queue_count && !f->broken; i++)
        idle = idle && f->queues[i].left == 0 && f->queues[i].flying == 0;
    return idle;
}

/* ---- its rings ------------------------------------------------------------------------------- */

static inline void front_open(struct front *f, uint32_t requests)
{
    uint32_t pages = 1u << f->ring_order;
    domid_t before = fake_enter(f->domid);

    f->data = memory_pages_alloc(FRONT_PAGES);
    for (uint16_t i = 0; f->persistent && i < FRONT_PAGES; i++)
        fake_grant(f->domid, FRONT_REF(f) + i, f->back, front_page(f, i), false);
    for (uint32_t q = 0; q < f->queue_count; q++) {
        uint8_t *ring = memory_pages_alloc(pages);
        evtchn_port_t port = fake_port(f->domid, f->back);

        for (uint32_t i = 0; i < pages; i++)
            fake_grant(f->domid, FRONT_RING(f) + q * 2 + i, f->back, ring + i * PAGE_SIZE, false);
        blk_front_init(&f->queues[q].ring, ring, pages, port);
        event_open(port);
        f->queues[q].left = requests;
    }
    (void)fake_enter(before);
}

#endif
