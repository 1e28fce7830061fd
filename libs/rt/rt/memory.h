/*
 * Pages in a domain. All memory is mapped at the linear address that equals its
 * guest-physical one: a pointer's value shifted is a frame number.
 */
#ifndef RT_MEMORY_H
#define RT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/addr.h>

/* The guest frame a pointer lies in. */
static inline uint64_t memory_gfn(const void *p)
{
    return (uint64_t)(uintptr_t)p >> PAGE_SHIFT;
}

/* Whole pages of RAM, zeroed, contiguous and page-aligned; NULL if there are not so many. */
void *memory_pages_alloc(size_t count);

/*
 * The same with what a last user, or a last life of this domain, left there: for
 * buffers of which nothing is read that was not written before.
 */
void *memory_buffers_alloc(size_t count);
void memory_pages_free(void *pages, size_t count);

/* A single page was asked for, and there was none: nothing that needs memory works any more. */
bool memory_is_used_up(void);

/*
 * Guest-physical space with nothing in it, to map grants into; already mapped
 * readable and writable, so a page is there as soon as the grant is mapped.
 * count pages, contiguous; NULL if the space is used up.
 */
void *memory_space_alloc(size_t count);
void memory_space_free(void *pages, size_t count);

/*
 * Memory that this domain's next life finds as it is left: of another's making,
 * then, like all that comes from outside. The same bytes at each call, but others
 * for more than LAYOUT_SURVIVOR_SIZE, which the builder gives to the store only;
 * NULL if there are fewer.
 */
void *memory_survivor(size_t len);

/* Device registers at a guest-physical address (a BAR): mapped uncached. */
volatile void *memory_device(uint64_t gpa, size_t len);

/*
 * The address a device must use for a byte of the domain's own RAM. A buffer
 * of several pages is contiguous for a device only within each page.
 */
uint64_t memory_dma_address(const void *p);

#endif
