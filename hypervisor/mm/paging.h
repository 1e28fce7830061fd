/*
 * The core's own address space: the image by section, the pool, the frame
 * table, windows, devices. Nothing else is mapped.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

struct plan;
struct frame;

/*
 * Registers of a device, uncached, for ever. The address and length need not be
 * page-aligned. NULL if the pool has no room for the tables. The address stays
 * the same for a range that was mapped before by the same call.
 */
void *paging_map_device(hpa_t address, size_t len);

/*
 * Builds the tables inside the pool's place and goes over to them: the loader's
 * memory cannot be read any more. The frame table is there, all zero.
 */
struct paging_made {
    char *pool;          /* the pool as it is seen from now on */
    struct frame *table; /* the frame table */
    uint64_t taken;      /* pages of the pool in use */
};
void paging_init(const struct plan *plan, struct paging_made *made);

/* Further memory above is not seen by the first page tables. */
uint64_t paging_first_reach(void);

/* Gives this CPU its windows, once the tables are in force. */
void paging_window_init(void);
