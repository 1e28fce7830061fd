/* Where the pool lies, for those who convert often. */
#pragma once

#include <abi/addr.h>

struct pool_place {
    char *base;     /* its first page, as the core sees it */
    uint64_t first; /* its frame */
    uint64_t count;
};

extern struct pool_place pool_place;

/*
 * The pool's frames are in the frame table as FRAME_CORE. The first `taken` are
 * in use already; `image` bytes are counted as the core's own beside them.
 */
void pool_init(const struct pool_place *place, uint64_t taken, uint64_t image);

/* Only for frames that are known to lie in the pool. */
static inline void *pool_page_known(uint64_t mfn)
{
    return pool_place.base + ((mfn - pool_place.first) << PAGE_SHIFT);
}
