/* Any bytes as a DMAR table: read, then asked about some functions. */
#include "iommu/dmar.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#include "pci/function.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

static uint8_t bus[2][256 * 4096];

volatile uint8_t *config_bus(unsigned number)
{
    return number < 2 ? bus[number] : NULL;
}

uint64_t device_read(const volatile uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *table = malloc(len + 1);

    if (len > UINT32_MAX || !table)
        return 0;
    memcpy(table, data, len);
    bus[0][8 * 4096 + CONFIG_HEADER + 2] = 1;
    bus[0][8 * 4096 + CONFIG_BUSES + 1] = 1;
    bus[0][8 * 4096 + CONFIG_BUSES + 2] = 1;
    dmar_read(table, (uint32_t)len);
    free(table); /* nothing of it may be needed any more */
    for (unsigned bdf = 0; bdf < 0x400; bdf += 4) {
        if (dmar_unit_of((uint16_t)bdf) >= (int)dmar.unit_count && dmar.usable)
            abort();
        (void)dmar_refusal((uint16_t)bdf);
        (void)dmar_ioapic((uint8_t)bdf);
    }
    return 0;
}
