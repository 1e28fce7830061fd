/* The buddy allocator under the frames of domains and the pages of the pool. */
#include "mm/buddy.h"

void buddy_init(struct buddy *b, struct frame *table, uint64_t count, uint8_t tag)
{
    *b = (struct buddy){.table = table, .count = count, .tag = tag};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        b->list[order][0] = b->list[order][1] = FRAME_END;
}

static void block_insert(struct buddy *b, uint32_t first, unsigned order, bool dirty)
{
    struct frame *f = &b->table[first];
    uint32_t *list = &b->list[order][dirty];

    f->info = (uint8_t)(FRAME_HEAD | b->tag | (dirty ? FRAME_DIRTY : 0) | order);
    f->next = *list;
    f->prev = FRAME_END;
    if (*list != FRAME_END)
        b->table[*list].prev = first;
    *list = first;
}

static void block_remove(struct buddy *b, uint32_t first)
{
    struct frame *f = &b->table[first];

    if (f->prev != FRAME_END)
        b->table[f->prev].next = f->next;
    else
        b->list[f->info & FRAME_ORDER][(f->info & FRAME_DIRTY) != 0] = f->next;
    if (f->next != FRAME_END)
        b->table[f->next].prev = f->prev;
    f->info = 0;
}

/* The other half of the block one order up, if it is free and ours; its dirt is left open. */
static bool has_free_buddy(const struct buddy *b, uint32_t first, unsigned order)
{
    uint64_t other = first ^ 1u << order;

    if (order + 1 >= BUDDY_ORDERS || other >= b->count)
        return false;
    return (b->table[other].info & ~FRAME_DIRTY) == (FRAME_HEAD | b->tag | order);
}

static bool is_dirty(const struct buddy *b, uint32_t first)
{
    return b->table[first].info & FRAME_DIRTY;
}

/*
 * Clean and dirty halves stay apart, or scrubbing would never end. They come
 * together here, when a large block is wanted.
 */
static void merge_mixed(struct buddy *b, unsigned wanted)
{
    for (unsigned order = 0; order < wanted; order++) {
        uint32_t next;
        for (uint32_t first = b->list[order][1]; first != FRAME_END; first = next) {
            next = b->table[first].next;
            uint32_t other = first ^ 1u << order;
            if (!has_free_buddy(b, first, order))
                continue;
            if (next == other)
                next = b->table[other].next;
            block_remove(b, first);
            block_remove(b, other);
            block_insert(b, first & other, order + 1, true);
        }
    }
}

/* Takes the part [first, first + (1 << order)) out of a free block; the rest stays free. */
static void block_cut(struct buddy *b, uint32_t head, unsigned have, uint32_t first, unsigned order)
{
    bool dirty = is_dirty(b, head);

    block_remove(b, head);
    while (have > order) {
        uint32_t other = head + (1u << --have);

        block_insert(b, first < other ? other : head, have, dirty);
        head = first < other ? head : other;
    }
    b->free -= 1ull << order;
}

static uint32_t block_take(struct buddy *b, unsigned order, bool *dirty)
{
    for (unsigned have = order; have < BUDDY_ORDERS; have++) {
        *dirty = b->list[have][0] == FRAME_END;
        uint32_t first = b->list[have][*dirty];
        if (first == FRAME_END)
            continue;
        block_cut(b, first, have, first, order);
        return first;
    }
    return FRAME_END;
}

uint32_t buddy_alloc(struct buddy *b, unsigned order, bool *dirty)
{
    CHECK(order < BUDDY_ORDERS);
    uint32_t first = block_take(b, order, dirty);
    if (first != FRAME_END || b->free < 1ull << order || order == 0)
        return first;
    merge_mixed(b, order);
    return block_take(b, order, dirty);
}

bool buddy_claim(struct buddy *b, uint32_t first, unsigned order, bool *dirty)
{
    merge_mixed(b, order);
    for (unsigned have = order; have < BUDDY_ORDERS; have++) {
        uint32_t head = first & ~((1u << have) - 1);

        if ((b->table[head].info & ~FRAME_DIRTY) != (FRAME_HEAD | b->tag | have))
            continue;
        *dirty = is_dirty(b, head);
        block_cut(b, head, have, first, order);
        return true;
    }
    return false;
}

uint32_t buddy_take_dirty(struct buddy *b, unsigned order, unsigned *got)
{
    for (unsigned have = 0; have < BUDDY_ORDERS; have++) {
        uint32_t first = b->list[have][1];
        if (first == FRAME_END)
            continue;
        *got = have < order ? have : order;
        block_cut(b, first, have, first, *got);
        return first;
    }
    return FRAME_END;
}

void buddy_free(struct buddy *b, uint32_t first, unsigned order, bool dirty)
{
    b->free += 1ull << order;
    while (has_free_buddy(b, first, order) && is_dirty(b, first ^ 1u << order) == dirty) {
        block_remove(b, first ^ 1u << order);
        first &= ~(1u << order);
        order++;
    }
    block_insert(b, first, order, dirty);
}

void buddy_add(struct buddy *b, uint64_t first, uint64_t count)
{
    while (count > 0) {
        unsigned order = 0;
        while (order + 1 < BUDDY_ORDERS && !(first & ((2ull << order) - 1)) &&
               2ull << order <= count)
            order++;
        buddy_free(b, (uint32_t)first, order, true);
        first += 1ull << order;
        count -= 1ull << order;
    }
}
