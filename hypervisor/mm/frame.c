/* Who owns which machine frame, and when it is free. */
#include "mm/frame.h"

#include <arch/peek.h>

#include "mm/buddy.h"
#include "util/lock.h"
#include "util/string.h"

#define SCRUB_ORDER 3u /* 32 KiB at once: who wakes meanwhile waits a few microseconds */

/*
 * Low memory is given last: a domain whose frames must stand where they do in
 * the machine claims it. Blocks of the two zones never merge: the buddy of the
 * high zone's first block begins with frame 0, which is nobody's.
 */
enum { ZONE_HIGH, ZONE_LOW, ZONES };

static struct {
    struct lock lock;
    struct frame *table;
    uint64_t count, low_end;
    struct buddy zone[ZONES];
    uint64_t ram; /* frames */
    bool dirty;   /* perhaps there are free frames to be cleaned */
} frames = {.lock = LOCK_INIT(LOCK_FRAMES)};

void frame_init(struct frame *table, uint64_t count, uint64_t low_end)
{
    CHECK(count < FRAME_END);
    frames.table = table;
    frames.count = count;
    frames.low_end = low_end;
    buddy_init(&frames.zone[ZONE_HIGH], table, count, 0);
    buddy_init(&frames.zone[ZONE_LOW], table, count < low_end ? count : low_end, 0);
    frames.ram = 0;
}

struct frame *frame_entry(mfn_t mfn)
{
    CHECK(mfn.v < frames.count);
    return &frames.table[mfn.v];
}

static void zones_add(uint64_t first, uint64_t count)
{
    uint64_t low = first < frames.low_end ? frames.low_end - first : 0;

    low = low < count ? low : count;
    buddy_add(&frames.zone[ZONE_LOW], first, low);
    buddy_add(&frames.zone[ZONE_HIGH], first + low, count - low);
    frames.dirty = true;
}

void frame_add(mfn_t first, uint64_t count, enum frame_kind kind)
{
    frames.ram += count;
    for (uint64_t i = 0; i < count; i++)
        frame_entry((mfn_t){first.v + i})->kind = (uint8_t)kind;
    if (kind == FRAME_FREE)
        zones_add(first.v, count);
}

static void block_zero(uint64_t first, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        memset(peek(0, (mfn_t){first + i}), 0, PAGE_SIZE);
    peek_end();
}

static mfn_t block_give(uint32_t first, unsigned order, bool dirty, uint16_t owner)
{
    if (dirty)
        block_zero(first, order);
    for (uint64_t i = 0; i < 1ull << order; i++) {
        struct frame *f = &frames.table[first + i];
        f->owner = owner;
        f->refs = 1;
        f->kind = FRAME_DOMAIN;
    }
    return (mfn_t){first};
}

mfn_t frame_alloc(uint16_t owner, unsigned order)
{
    uint32_t first = FRAME_END;
    bool dirty;

    lock_acquire(&frames.lock);
    for (unsigned zone = 0; zone < ZONES && first == FRAME_END; zone++)
        first = buddy_alloc(&frames.zone[zone], order, &dirty);
    lock_release(&frames.lock);
    return first == FRAME_END ? (mfn_t){FRAME_NONE} : block_give(first, order, dirty, owner);
}

mfn_t frame_claim(uint16_t owner, mfn_t first, unsigned order)
{
    unsigned zone = first.v < frames.low_end ? ZONE_LOW : ZONE_HIGH;
    uint64_t size = 1ull << order;
    bool got, dirty;

    if (first.v & (size - 1) || first.v >= frames.count || size > frames.zone[zone].count - first.v)
        return (mfn_t){FRAME_NONE};
    lock_acquire(&frames.lock);
    got = buddy_claim(&frames.zone[zone], (uint32_t)first.v, order, &dirty);
    lock_release(&frames.lock);
    return got ? block_give((uint32_t)first.v, order, dirty, owner) : (mfn_t){FRAME_NONE};
}

void frame_get(mfn_t mfn)
{
    struct frame *f = frame_entry(mfn);

    if (f->kind == FRAME_DOMAIN)
        CHECK(__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED) > 1);
}

static void run_free(uint64_t first, uint64_t count)
{
    if (count == 0)
        return;
    LOCK_SCOPE(&frames.lock);
    for (uint64_t i = 0; i < count; i++)
        frames.table[first + i].kind = FRAME_FREE;
    zones_add(first, count);
}

/* Whether that was the last reference. */
static bool drop(struct frame *f)
{
    if (f->kind != FRAME_DOMAIN)
        return false;
    uint32_t left = __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL);
    CHECK(left != UINT32_MAX);
    return left == 0;
}

void frame_put(mfn_t mfn)
{
    frame_put_run(mfn, 1);
}

void frame_put_run(mfn_t first, uint64_t count)
{
    uint64_t dead = 0; /* frames right before this one that nobody holds any more */

    for (uint64_t i = 0; i < count; i++) {
        if (drop(frame_entry((mfn_t){first.v + i}))) {
            dead++;
        } else {
            run_free(first.v + i - dead, dead);
            dead = 0;
        }
    }
    run_free(first.v + count - dead, dead);
}

enum frame_kind frame_kind(mfn_t mfn, uint16_t *owner)
{
    if (mfn.v >= frames.count)
        return FRAME_ABSENT;
    const struct frame *f = &frames.table[mfn.v];
    if (f->kind == FRAME_DOMAIN && owner)
        *owner = f->owner;
    return (enum frame_kind)f->kind;
}

uint64_t frame_total(void)
{
    return frames.ram;
}

uint64_t frame_free(void)
{
    return __atomic_load_n(&frames.zone[ZONE_HIGH].free, __ATOMIC_RELAXED) +
           __atomic_load_n(&frames.zone[ZONE_LOW].free, __ATOMIC_RELAXED);
}

bool frame_is_dirty(void)
{
    return __atomic_load_n(&frames.dirty, __ATOMIC_RELAXED);
}

bool frame_scrub(void)
{
    uint32_t first = FRAME_END;
    struct buddy *b = frames.zone;
    unsigned order;

    lock_acquire(&frames.lock);
    for (; first == FRAME_END && b < frames.zone + ZONES; b++)
        first = buddy_take_dirty(b, SCRUB_ORDER, &order);
    frames.dirty = first != FRAME_END;
    lock_release(&frames.lock);
    if (first == FRAME_END)
        return false;
    block_zero(first, order);
    lock_acquire(&frames.lock);
    buddy_free(b - 1, first, order, false);
    lock_release(&frames.lock);
    return true;
}
