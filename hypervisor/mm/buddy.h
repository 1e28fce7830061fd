/* Free blocks of 1 << order frames, aligned to their size, clean ones apart from dirty ones. */
#pragma once

#include "mm/table.h"

#define BUDDY_ORDERS 19u

struct buddy {
    struct frame *table;
    uint64_t count;                 /* frames in the table */
    uint8_t tag;                    /* FRAME_POOL or 0: never merges with the other's */
    uint64_t free;                  /* frames */
    uint32_t list[BUDDY_ORDERS][2]; /* [order][dirty] */
};

void buddy_init(struct buddy *b, struct frame *table, uint64_t count, uint8_t tag);

/* The smallest block that is big enough, a clean one before a dirty one; FRAME_END: none. */
uint32_t buddy_alloc(struct buddy *b, unsigned order, bool *dirty);

/* Takes that very block, inside the table; false: some of it is not free. */
bool buddy_claim(struct buddy *b, uint32_t first, unsigned order, bool *dirty);

/* Takes a dirty block of at most that order (cut out of a larger one); FRAME_END: none. */
uint32_t buddy_take_dirty(struct buddy *b, unsigned order, unsigned *got);

void buddy_free(struct buddy *b, uint32_t first, unsigned order, bool dirty);

/* A run of any length and alignment, as dirty blocks. */
void buddy_add(struct buddy *b, uint64_t first, uint64_t count);
