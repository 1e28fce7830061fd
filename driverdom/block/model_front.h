/*
 * What a guest knows of its disk, for tests of the block driver domain: which
 * version of every sector it has written, read, and flushed; and the pages that
 * its front end grants. model_front_ring.h is the front end.
 */
#ifndef MODEL_FRONT_H
#define MODEL_FRONT_H

#include <string.h>

#include <abi/addr.h>

#include <blk_front.h>
#include <fake_hv.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "check.h"
#include "model_cache.h"

#define FRONT_SECTORS  256u
#define FRONT_PAGES    260u /* of data: all that can be under way */
#define FRONT_SLOTS    64u
#define FRONT_QUEUES   2u
#define FRONT_SEGMENTS 12u
#define FRONT_DEPTH    10u
#define FRONT_VERSION  2u /* of every sector at first; odd ones are of discards: zeroes */
#define FRONT_REF(f)   (200u + (f)->index * FRONT_PAGES)
#define FRONT_RING(f)  (20u + (f)->index * 8u)

_Static_assert(FRONT_PAGES >= FRONT_QUEUES * FRONT_DEPTH * (FRONT_SEGMENTS + 1), "pages");

/* A request under way, found by its id. */
struct front_shadow {
    bool used;
    bool indirect;
    uint8_t operation; /* that its answer has to name */
    uint32_t sector, sectors, version;
    uint16_t list, count;
    uint16_t pages[FRONT_SEGMENTS];
    struct blkif_request_segment segments[FRONT_SEGMENTS];
};

struct front_queue {
    struct blk_front ring;
    struct front_shadow shadows[FRONT_SLOTS];
    uint16_t order[FRONT_SLOTS]; /* ids by slot */
    uint64_t heads[FRONT_SLOTS][2];
    uint32_t seen; /* answers that were looked at when they appeared */
    uint32_t flying;
    bool told;                       /* by an event: only then it looks for answers */
    uint32_t left;                   /* requests still to make */
    bool flushing;                   /* one at a time, of what was written before: */
    uint32_t covered[FRONT_SECTORS]; /* versions that are safe when it is answered */
};

struct front {
    domid_t domid, back;
    unsigned index;
    uint64_t first; /* of its sectors on the disk */
    bool persistent;
    uint32_t queue_count, ring_order;
    bool broken;
    uint32_t burst; /* requests until it waits for all to be quiet */
    struct front_queue queues[FRONT_QUEUES];
    uint8_t *data; /* FRONT_PAGES of them */
    bool taken[FRONT_PAGES];
    uint32_t version;                /* last given */
    uint32_t acked[FRONT_SECTORS];   /* what is read from now on */
    uint32_t safe[FRONT_SECTORS];    /* at least so new is what is on the medium */
    uint32_t zeroed[FRONT_SECTORS];  /* last discard that was asked for */
    uint32_t written[FRONT_SECTORS]; /* by a request under way; 0: by none */
    uint16_t readers[FRONT_SECTORS];
    uint64_t seed;
};

static unsigned front_draw(struct front *f, unsigned below)
{
    f->seed = f->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(f->seed >> 33) % below;
}

/* The first mistake is told of; then the guest does nothing more with the device. */
static void front_break(struct front *f, const char *file, int line, const char *what)
{
    if (!f->broken)
        check_fail(file, line, what);
    f->broken = true;
}

#define FRONT_EXPECT(f, x) ((x) ? (void)0 : front_break(f, __FILE__, __LINE__, #x))

/* ---- sectors --------------------------------------------------------------------------------- */

static uint64_t front_word(const struct front *f, uint32_t sector, uint32_t version, unsigned i)
{
    return version & 1 ? 0
                       : version | (uint64_t)sector << 32 | (uint64_t)i << 48 |
                             (uint64_t)(f->index + 1) << 56;
}

static void front_fill(const struct front *f, void *to, uint32_t sector, uint32_t version)
{
    uint64_t *words = to;

    for (unsigned i = 0; i < 64; i++)
        words[i] = front_word(f, sector, version, i);
}

static bool front_has(const struct front *f, const void *from, uint32_t sector, uint32_t version)
{
    const uint64_t *words = from;

    for (unsigned i = 0; i < 64; i++)
        if (words[i] != front_word(f, sector, version, i))
            return false;
    return true;
}

/* The medium has what was flushed, or something newer. */
static bool front_is_safe(const struct front *f, uint32_t sector)
{
    const uint8_t *bytes = cache.medium + (f->first + sector) * 512;
    uint32_t version = *(const uint32_t *)(const void *)bytes;

    if (version == 0)
        return f->zeroed[sector] >= f->safe[sector] && front_has(f, bytes, sector, 1);
    return version >= f->safe[sector] && front_has(f, bytes, sector, version);
}

/* Everything that was acknowledged is there. */
static inline bool front_is_right(const struct front *f)
{
    bool right = !f->broken;

    for (uint32_t s = 0; s < FRONT_SECTORS; s++)
        right = right && front_is_safe(f, s) &&
                front_has(f, model.bytes + (f->first + s) * 512, s, f->acked[s]);
    return right;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static uint8_t *front_page(const struct front *f, uint16_t page)
{
    return f->data + (size_t)page * PAGE_SIZE;
}

static uint16_t front_page_get(struct front *f, bool readonly)
{
    uint16_t page = 0;

    while (f->taken[page])
        if (++page == FRONT_PAGES)
            abort();
    f->taken[page] = true;
    if (!f->persistent)
        fake_grant(f->domid, FRONT_REF(f) + page, f->back, front_page(f, page), readonly);
    return page;
}

static bool front_is_unused(const struct front *f, uint16_t page)
{
    const struct grant_entry_v1 *entry = &fake_grant_table(f->domid)[FRONT_REF(f) + page];

    return f->persistent || !(entry->flags & (GTF_reading | GTF_writing));
}

/* Nobody has any of its pages, as far as it can see. */
static inline bool front_is_let_go(const struct front *f)
{
    const struct grant_entry_v1 *table = fake_grant_table(f->domid);
    uint16_t marks = 0;

    for (uint32_t i = 0; i < 8; i++)
        marks |= table[FRONT_RING(f) + i].flags;
    for (uint32_t i = 0; i < FRONT_PAGES; i++)
        marks |= table[FRONT_REF(f) + i].flags;
    return !(marks & (GTF_reading | GTF_writing));
}

static void front_page_put(struct front *f, uint16_t page)
{
    FRONT_EXPECT(f, front_is_unused(f, page));
    f->taken[page] = false;
    if (!f->persistent)
        fake_grant_table(f->domid)[FRONT_REF(f) + page].flags = 0;
}

static inline void front_init(struct front *f)
{
    f->version = FRONT_VERSION;
    for (uint32_t s = 0; s < FRONT_SECTORS; s++) {
        f->acked[s] = f->safe[s] = FRONT_VERSION;
    }
}

#endif
