/* Stores to tables that the CPU walks, shown to the test one by one. */
#ifndef ARCH_TABLE_H
#define ARCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t table_read(const uint64_t *slot)
{
    return *(const volatile uint64_t *)slot;
}

void table_write(uint64_t *slot, uint64_t value);

/* For the test that has an IOMMU. */
extern bool table_incoherent, table_amdvi;
void table_flush(const void *p, size_t len);

#endif
