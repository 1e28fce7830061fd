/* Grant tables, version 1. */
#ifndef ABI_GRANT_H
#define ABI_GRANT_H

#include <abi/xen.h>

#include <xen/grant_table.h>

/* Entries of version 1 in one frame of the table. */
#define GRANT_PER_FRAME (4096u / sizeof(struct grant_entry_v1))

_Static_assert(sizeof(struct grant_entry_v1) == 8, "grant entry");
_Static_assert(offsetof(struct grant_entry_v1, frame) == 4, "grant frame");
_Static_assert(sizeof(struct gnttab_map_grant_ref) == 32, "map");
_Static_assert(sizeof(struct gnttab_unmap_grant_ref) == 24, "unmap");
_Static_assert(sizeof(struct gnttab_copy) == 40, "copy");

#endif
