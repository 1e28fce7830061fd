/* Who owns which machine frame, and when it is free. */
#include "mm/frame.h"

#include <stddef.h>

#include "mm/buddy.h"
#include "mm/table.h"
#include "mm/window.h"
#include "util/lock.h"
#include "util/string.h"

#define SCRUB_ORDER 3u /* 32 KiB at once: who wakes meanwhile waits a few microseconds */

static struct {
    struct lock lock;
    struct buddy buddy;
    uint64_t ram; /* frames */
} frames = {.lock = LOCK_INIT(LOCK_FRAMES)};

void frame_init(struct frame *table, uint64_t count)
{
    CHECK(count < FRAME_END);
    buddy_init(&frames.buddy, table, count, 0);
    frames.ram = 0;
}

struct frame *frame_entry(mfn_t mfn)
{
    CHECK(mfn.v < frames.buddy.count);
    return &frames.buddy.table[mfn.v];
}

void frame_add(mfn_t first, uint64_t count, enum frame_kind kind)
{
    frames.ram += count;
    for (uint64_t i = 0; i < count; i++)
        frame_entry((mfn_t){first.v + i})->kind = (uint8_t)kind;
    if (kind == FRAME_FREE)
        buddy_add(&frames.buddy, first.v, count);
}

static void block_zero(uint64_t first, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++) {
        void *page = window_map((mfn_t){first + i});
        memset(page, 0, PAGE_SIZE);
        window_unmap(page);
    }
}

mfn_t frame_alloc(uint16_t owner, unsigned order)
{
    bool dirty;

    lock_acquire(&frames.lock);
    uint32_t first = buddy_alloc(&frames.buddy, order, &dirty);
    lock_release(&frames.lock);
    if (first == FRAME_END)
        return (mfn_t){FRAME_NONE};
    if (dirty)
        block_zero(first, order);
    for (uint64_t i = 0; i < 1ull << order; i++) {
        struct frame *f = &frames.buddy.table[first + i];
        f->owner = owner;
        f->refs = 1;
        f->kind = FRAME_DOMAIN;
    }
    return (mfn_t){first};
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
    lock_acquire(&frames.lock);
    for (uint64_t i = 0; i < count; i++)
        frames.buddy.table[first + i].kind = FRAME_FREE;
    buddy_add(&frames.buddy, first, count);
    lock_release(&frames.lock);
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
    if (drop(frame_entry(mfn)))
        run_free(mfn.v, 1);
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
    if (mfn.v >= frames.buddy.count)
        return FRAME_ABSENT;
    const struct frame *f = &frames.buddy.table[mfn.v];
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
    return __atomic_load_n(&frames.buddy.free, __ATOMIC_RELAXED);
}

bool frame_scrub(void)
{
    unsigned order;

    lock_acquire(&frames.lock);
    uint32_t first = buddy_take_dirty(&frames.buddy, SCRUB_ORDER, &order);
    lock_release(&frames.lock);
    if (first == FRAME_END)
        return false;
    block_zero(first, order);
    lock_acquire(&frames.lock);
    buddy_free(&frames.buddy, first, order, false);
    lock_release(&frames.lock);
    return true;
}
