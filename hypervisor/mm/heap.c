/*
 * The core's own memory: pages by the buddy allocator, small objects in pages
 * cut into pieces of one size. What is free in such a page is a list of indices
 * inside the pieces themselves; the page's bookkeeping is in the frame table.
 */
#include "mm/heap.h"

#include "mm/buddy.h"
#include "mm/pool.h"
#include "mm/table.h"
#include "util/lock.h"
#include "util/string.h"

#define CLASSES       7u
#define CLASS_SIZE(c) (32u << (c))
#define PIECE_END     UINT16_MAX
#define ORDER_MAX     10u

struct pool_place pool_place;

static struct {
    struct lock lock;
    struct buddy buddy;
    uint64_t bytes;
    uint32_t partial[CLASSES]; /* pages with room */
} pool = {.lock = LOCK_INIT(LOCK_POOL)};

void pool_init(const struct pool_place *place, uint64_t taken, uint64_t image)
{
    mfn_t last = {place->first + place->count - 1};

    pool_place = *place;
    pool.bytes = (place->count << PAGE_SHIFT) + image;
    for (unsigned c = 0; c < CLASSES; c++)
        pool.partial[c] = FRAME_END;
    buddy_init(&pool.buddy, frame_entry(last) - last.v, place->first + place->count, FRAME_POOL);
    buddy_add(&pool.buddy, place->first + taken, place->count - taken);
}

mfn_t pool_mfn(const void *page)
{
    uint64_t offset = (uint64_t)((const char *)page - pool_place.base);

    CHECK(offset >> PAGE_SHIFT < pool_place.count);
    return (mfn_t){pool_place.first + (offset >> PAGE_SHIFT)};
}

void *pool_page(mfn_t mfn)
{
    if (mfn.v - pool_place.first >= pool_place.count)
        return NULL;
    return pool_page_known(mfn.v);
}

/* Lock held. */
static uint32_t pages_take(unsigned order)
{
    bool dirty;
    uint32_t first = buddy_alloc(&pool.buddy, order, &dirty);

    if (first != FRAME_END)
        frame_entry((mfn_t){first})->owner = 0;
    return first;
}

void *pool_alloc(unsigned order)
{
    if (order > ORDER_MAX)
        return NULL;
    lock_acquire(&pool.lock);
    uint32_t first = pages_take(order);
    lock_release(&pool.lock);
    if (first == FRAME_END)
        return NULL;
    return memset(pool_page_known(first), 0, (size_t)PAGE_SIZE << order);
}

void pool_free(void *pages, unsigned order)
{
    if (!pages)
        return;
    lock_acquire(&pool.lock);
    buddy_free(&pool.buddy, (uint32_t)pool_mfn(pages).v, order, true);
    lock_release(&pool.lock);
}

static void partial_insert(uint32_t page, unsigned class)
{
    struct frame *f = frame_entry((mfn_t){page});

    f->next = pool.partial[class];
    f->prev = FRAME_END;
    if (f->next != FRAME_END)
        frame_entry((mfn_t){f->next})->prev = page;
    pool.partial[class] = page;
}

static void partial_remove(uint32_t page, unsigned class)
{
    struct frame *f = frame_entry((mfn_t){page});

    if (f->prev != FRAME_END)
        frame_entry((mfn_t){f->prev})->next = f->next;
    else
        pool.partial[class] = f->next;
    if (f->next != FRAME_END)
        frame_entry((mfn_t){f->next})->prev = f->prev;
}

static uint16_t *piece(uint32_t page, unsigned class, unsigned index)
{
    return (void *)((char *)pool_page_known(page) + (size_t)index * CLASS_SIZE(class));
}

/* A new page of pieces, all free. */
static uint32_t page_cut(unsigned class)
{
    unsigned count = PAGE_SIZE / CLASS_SIZE(class);
    uint32_t page = pages_take(0);

    if (page == FRAME_END)
        return page;
    struct frame *f = frame_entry((mfn_t){page});
    f->owner = (uint16_t)(class + 1);
    f->used = 0;
    f->first = 0;
    for (unsigned i = 0; i < count; i++)
        *piece(page, class, i) = i + 1 < count ? (uint16_t)(i + 1) : PIECE_END;
    partial_insert(page, class);
    return page;
}

void *heap_alloc(size_t size)
{
    unsigned class = 0;

    while (class < CLASSES && CLASS_SIZE(class) < size)
        class ++;
    if (class == CLASSES)
        return size <= PAGE_SIZE ? pool_alloc(0) : NULL;
    lock_acquire(&pool.lock);
    uint32_t page = pool.partial[class];
    if (page == FRAME_END)
        page = page_cut(class);
    if (page == FRAME_END) {
        lock_release(&pool.lock);
        return NULL;
    }
    struct frame *f = frame_entry((mfn_t){page});
    uint16_t *object = piece(page, class, f->first);
    f->first = *object;
    f->used++;
    if (f->first == PIECE_END)
        partial_remove(page, class);
    lock_release(&pool.lock);
    return memset(object, 0, CLASS_SIZE(class));
}

void heap_free(void *p)
{
    if (!p)
        return;
    uint32_t page = (uint32_t)pool_mfn(p).v;
    struct frame *f = frame_entry((mfn_t){page});
    if (f->owner == 0) {
        pool_free(p, 0);
        return;
    }
    unsigned class = f->owner - 1u;
    lock_acquire(&pool.lock);
    if (f->first == PIECE_END)
        partial_insert(page, class);
    *(uint16_t *)p = f->first;
    f->first = (uint16_t)(((uintptr_t)p & PAGE_MASK) / CLASS_SIZE(class));
    if (--f->used == 0) {
        partial_remove(page, class);
        f->owner = 0;
        buddy_free(&pool.buddy, page, 0, true);
    }
    lock_release(&pool.lock);
}

uint64_t pool_bytes(void)
{
    return pool.bytes;
}

uint64_t pool_bytes_free(void)
{
    return pool.buddy.free << PAGE_SHIFT;
}
