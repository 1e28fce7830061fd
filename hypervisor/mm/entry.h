/*
 * Nested page-table entries as the p2m sees them. The CPU ignores bits 9 to 11 and
 * 52 to 62, and what it ignores tells the type. AMD's IOMMU may walk the same
 * tables: it wants the level of the next table in bits 9 to 11, rights in 61 and
 * 62, and no other bit from 52 to 59 in what a device may reach.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <arch/table.h>

#include "mm/p2m.h"
#include "mm/pool.h"

#define ENTRY_TYPE_SHIFT  52           /* types that no device reaches: P2M_SHARED and up */
#define ENTRY_LEVEL_SHIFT 9            /* 1 to 3 in an entry that names a table */
#define ENTRY_FOREIGN     (1ull << 60) /* a grant; for the unit: coherent, as all memory is */
#define ENTRY_WRITE       (1ull << 1)  /* the CPU's own, whichever the vendor */
#define ENTRY_TABLE       15u          /* in place of enum p2m_type: the entry names a table */
#define ENTRY_FRAME       0x000ffffffffff000ull
#define P2M_TOP           3u /* level of the root; level 0 has 4 KiB entries */
#define TABLE_ENTRIES     512u

static inline unsigned entry_type(uint64_t e)
{
    unsigned type = (unsigned)(e >> ENTRY_TYPE_SHIFT) & 15;

    if (type != 0 || e == 0)
        return type;
    if (e >> ENTRY_LEVEL_SHIFT & 3)
        return ENTRY_TABLE;
    return (e & ENTRY_FOREIGN ? P2M_GRANT : P2M_RAM) + (e & ENTRY_WRITE ? 0u : 1u);
}

/* What an entry has for its type beside the vendor's bits. */
static inline uint64_t entry_bits(enum p2m_type type)
{
    _Static_assert(P2M_RAM_RO == P2M_RAM + 1 && P2M_GRANT_RO == P2M_GRANT + 1, "read-only is next");
    if (type > P2M_GRANT_RO)
        return (uint64_t)type << ENTRY_TYPE_SHIFT;
    return type >= P2M_GRANT ? ENTRY_FOREIGN : 0;
}

static inline uint64_t *entry_table(uint64_t e)
{
    return pool_page_known((e & ENTRY_FRAME) >> PAGE_SHIFT);
}

static inline unsigned entry_index(uint64_t gfn, unsigned level)
{
    return (unsigned)(gfn >> 9 * level) & (TABLE_ENTRIES - 1);
}

/* The entry that decides about a gfn, and its level; inside a reading section or under the lock. */
static inline uint64_t entry_find(const struct p2m *p2m, uint64_t gfn, unsigned *level)
{
    const uint64_t *table = p2m->root;

    if (!table || gfn >> 9 * (P2M_TOP + 1))
        return 0;
    for (*level = P2M_TOP;; (*level)--) {
        uint64_t e = table_read(&table[entry_index(gfn, *level)]);
        if (entry_type(e) != ENTRY_TABLE)
            return e;
        table = entry_table(e);
    }
}

/* The machine frame of a gfn inside what an entry maps. */
static inline uint64_t entry_mfn(uint64_t e, uint64_t gfn, unsigned level)
{
    return ((e & ENTRY_FRAME) >> PAGE_SHIFT) + (gfn & ((1ull << 9 * level) - 1));
}

/* Whether the core may read or write memory of this type for the guest. */
static inline bool entry_allows(unsigned type, bool write)
{
    return (write ? P2M_WRITABLE : P2M_READABLE) >> type & 1;
}
