/*
 * Stores to tables that the CPU or an IOMMU walks. In host tests every one is recorded, and
 * each prefix of the record must be a safe table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_LINE 64u /* of a cache; a longer one is flushed more than once */

/* An IOMMU that walks tables reads memory itself, not what is still in the CPU's caches. */
extern bool table_incoherent;

/* Units of AMD's walk tables, so entries say what they may do; known before there is a table. */
extern bool table_amdvi;

/* What was stored there is in memory. */
static inline void table_flush(const void *p, size_t len)
{
    if (!__builtin_expect(table_incoherent, false))
        return;
    for (size_t at = 0; at < len; at += TABLE_LINE)
        __asm__ volatile("clflush %0" : : "m"(*((const char *)p + at)) : "memory");
    __asm__ volatile("mfence" : : : "memory");
}

static inline uint64_t table_read(const uint64_t *slot)
{
    return *(const volatile uint64_t *)slot;
}

static inline void table_write(uint64_t *slot, uint64_t value)
{
    __asm__ volatile("" : : : "memory"); /* a new table's content comes before the entry for it */
    *(volatile uint64_t *)slot = value;
    table_flush(slot, sizeof(*slot));
}
