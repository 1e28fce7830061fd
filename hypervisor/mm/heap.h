/*
 * The core's own memory: a fixed pool, mapped for ever, never given to domains.
 * All of it comes zeroed.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

#include "util/check.h"

/* Objects of at most a page; NULL if the pool is used up. heap_free(NULL) does nothing. */
MUST_USE void *heap_alloc(size_t size);
void heap_free(void *p);

/* Whole pages, 1 << order of them, contiguous; NULL if there are none. */
MUST_USE void *pool_alloc(unsigned order);
void pool_free(void *pages, unsigned order);

/* The order of what holds so many bytes. */
static inline unsigned pool_order(size_t len)
{
    unsigned order = 0;

    while ((size_t)PAGE_SIZE << order < len)
        order++;
    return order;
}

mfn_t pool_mfn(const void *page);

/* Where a page is for a CPU or a device that is told its address. */
static inline uint64_t pool_address(const void *page)
{
    return mfn_hpa(pool_mfn(page)).v;
}

uint64_t pool_bytes(void); /* image and pool */
uint64_t pool_bytes_free(void);
