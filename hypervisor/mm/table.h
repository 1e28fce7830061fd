/*
 * The frame table: 16 bytes for each machine frame below the highest RAM. Only
 * the memory manager looks inside.
 */
#pragma once

#include "mm/frame.h"

/* Bits of info. */
#define FRAME_ORDER 0x1fu /* of the free block that begins here */
#define FRAME_HEAD  0x80u /* a free block begins here */
#define FRAME_DIRTY 0x40u /* and may hold somebody's data */
#define FRAME_POOL  0x20u /* the core's, not the domains' */

struct frame {
    uint32_t next, prev; /* free blocks of one order */
    uint32_t refs;       /* FRAME_DOMAIN */
    uint16_t owner;      /* FRAME_DOMAIN: domain id */
    uint8_t kind;        /* enum frame_kind */
    uint8_t info;
};
_Static_assert(sizeof(struct frame) == 16, "frame table entry");

/* End of a list; so the table has fewer entries (16 TiB of memory). */
#define FRAME_END UINT32_MAX

/*
 * The table is there and says FRAME_ABSENT everywhere. Afterwards runs of frames
 * get their kind: FRAME_FREE hands them to frame_alloc. Those below low_end, a
 * power of two, are given when there are no others.
 */
void frame_init(struct frame *table, uint64_t count, uint64_t low_end);
void frame_add(mfn_t first, uint64_t count, enum frame_kind kind);

struct frame *frame_entry(mfn_t mfn); /* CHECKs that there is one */
