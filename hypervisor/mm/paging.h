/*
 * The core's own address space: the image by section, the pool, the frame
 * table, windows, devices. Nothing else is mapped.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

struct plan;

/*
 * Registers of a device, uncached, for ever. The address and length need not be
 * page-aligned. NULL if the pool has no room for the tables.
 */
void *paging_map_device(hpa_t address, size_t len);

/*
 * Builds the tables inside the pool's place and goes over to them: the loader's
 * memory cannot be read any more. The frame table is there, all zero. Returns how many
 * pages of the pool are in use.
 */
uint64_t paging_init(const struct plan *plan);

/* Where pool and frame table are seen from then on. */
#define PAGING_POOL   0xffff800000000000ull
#define PAGING_FRAMES 0xffff808000000000ull

/* Further memory above is not seen by the first page tables. */
uint64_t paging_first_reach(void);

/* Gives this CPU its windows, once the tables are in force. */
void paging_window_init(void);
