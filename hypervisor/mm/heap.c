/*
 * The core's own memory: whole pages by the buddy allocator. What is smaller takes a
 * page as well: a domain has a handful of such objects, and they keep apart.
 */
#include "mm/heap.h"

#include "mm/buddy.h"
#include "mm/pool.h"
#include "util/lock.h"
#include "util/string.h"

#define ORDER_MAX 10u

struct pool_place pool_place;

static struct {
    struct lock lock;
    struct buddy buddy;
    uint64_t bytes;
} pool = {.lock = LOCK_INIT(LOCK_POOL)};

void pool_init(const struct pool_place *place, uint64_t taken, uint64_t image)
{
    mfn_t last = {place->first + place->count - 1};

    pool_place = *place;
    pool.bytes = (place->count << PAGE_SHIFT) + image;
    buddy_init(&pool.buddy, frame_entry(last) - last.v, place->first + place->count, FRAME_POOL);
    buddy_add(&pool.buddy, place->first + taken, place->count - taken);
}

mfn_t pool_mfn(const void *page)
{
    uint64_t offset = (uint64_t)((const char *)page - pool_place.base);

    CHECK(offset >> PAGE_SHIFT < pool_place.count);
    return (mfn_t){pool_place.first + (offset >> PAGE_SHIFT)};
}

void *pool_alloc(unsigned order)
{
    bool dirty;

    if (order > ORDER_MAX)
        return NULL;
    lock_acquire(&pool.lock);
    uint32_t first = buddy_alloc(&pool.buddy, order, &dirty);
    lock_release(&pool.lock);
    if (first == FRAME_END)
        return NULL;
    return memset(pool_page_known(first), 0, (size_t)PAGE_SIZE << order);
}

void pool_free(void *pages, unsigned order)
{
    if (!pages)
        return;
    LOCK_SCOPE(&pool.lock);
    buddy_free(&pool.buddy, (uint32_t)pool_mfn(pages).v, order, true);
}

void *heap_alloc(size_t size)
{
    return size <= PAGE_SIZE ? pool_alloc(0) : NULL;
}

void heap_free(void *p)
{
    pool_free(p, 0);
}

uint64_t pool_bytes(void)
{
    return pool.bytes;
}

uint64_t pool_bytes_free(void)
{
    return pool.buddy.free << PAGE_SHIFT;
}
