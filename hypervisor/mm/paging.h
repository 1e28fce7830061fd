/*
 * The core's own address space: the image by section, the pool, the frame
 * table, windows, devices. Nothing else is mapped.
 */
#ifndef MM_PAGING_H
#define MM_PAGING_H

#include <stddef.h>
#include <stdint.h>

#include <abi/addr.h>

/*
 * Registers of a device, uncached, for ever. The address and length need not be
 * page-aligned. NULL if the pool has no room for the tables. The address stays
 * the same for a range that was mapped before by the same call.
 */
void *paging_map_device(hpa_t address, size_t len);

/* For a window: the CPU's entry for a slot, and its address. */
void paging_window_set(unsigned slot, mfn_t mfn);
void paging_window_clear(unsigned slot);

#endif
