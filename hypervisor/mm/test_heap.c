#include "mm/heap.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "mm/pool.h"

static bool is_zero(const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((const char *)p)[i])
            return false;
    return true;
}

TEST(objects_are_zeroed_and_apart)
{
    char *all[200];

    fake_machine();
    for (unsigned i = 0; i < 200; i++) {
        all[i] = heap_alloc(24 + i);
        EXPECT(all[i] && is_zero(all[i], 24 + i));
        memset(all[i], (int)i, 24 + i);
    }
    for (unsigned i = 0; i < 200; i++) {
        bool same = true;
        for (unsigned k = 0; k < 24 + i; k++)
            same = same && all[i][k] == (char)i;
        EXPECT(same);
    }
    for (unsigned i = 0; i < 200; i++)
        heap_free(all[i]);
    EXPECT(pool_bytes_free() == (uint64_t)FAKE_POOL << PAGE_SHIFT);
}

TEST(pages)
{
    fake_machine();
    for (unsigned order = 0; order < 5; order++) {
        char *p = pool_alloc(order);
        EXPECT(p && is_zero(p, (size_t)PAGE_SIZE << order));
        EXPECT(((uintptr_t)p & PAGE_MASK) == 0);
        EXPECT(pool_page_known(pool_mfn(p).v) == p);
        memset(p, 1, (size_t)PAGE_SIZE << order);
        pool_free(p, order);
    }
    EXPECT(pool_bytes_free() == (uint64_t)FAKE_POOL << PAGE_SHIFT);
}

TEST(sizes_at_the_borders)
{
    fake_machine();
    void *page = heap_alloc(4096), *half = heap_alloc(2048), *more = heap_alloc(2049);
    EXPECT(page && half && more);
    EXPECT(heap_alloc(4097) == NULL);
    heap_free(page);
    heap_free(half);
    heap_free(more);
    heap_free(NULL);
    EXPECT(pool_bytes_free() == (uint64_t)FAKE_POOL << PAGE_SHIFT);
}

TEST(used_up_and_back)
{
    void *all[FAKE_POOL * 2];
    unsigned n = 0;

    fake_machine();
    while (n < FAKE_POOL * 2 && (all[n] = heap_alloc(2000)) != NULL)
        n++;
    EXPECT(n == FAKE_POOL);
    EXPECT(heap_alloc(2000) == NULL && heap_alloc(1) == NULL && pool_alloc(0) == NULL);
    for (unsigned i = 0; i < n; i += 2)
        heap_free(all[i]);
    EXPECT(pool_alloc(1) == NULL); /* one of each two pages is still in use */
    for (unsigned i = 1; i < n; i += 2)
        heap_free(all[i]);
    EXPECT(pool_alloc(8) != NULL);
}
