/*
 * Stores to tables that the CPU walks. In host tests every one is recorded, and
 * each prefix of the record must be a safe table.
 */
#ifndef ARCH_TABLE_H
#define ARCH_TABLE_H

#include <stdint.h>

static inline uint64_t table_read(const uint64_t *slot)
{
    return *(const volatile uint64_t *)slot;
}

static inline void table_write(uint64_t *slot, uint64_t value)
{
    __asm__ volatile("" : : : "memory"); /* a new table's content comes before the entry for it */
    *(volatile uint64_t *)slot = value;
}

#endif
