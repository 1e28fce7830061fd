/* Any bytes as an IVRS table: read, then asked about functions of every bus. */
#include "iommu/ivrs.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *table = malloc(len + 1);

    if (len > UINT32_MAX || !table)
        return 0;
    memcpy(table, data, len);
    ivrs_read(table, (uint32_t)len);
    free(table); /* nothing of it may be needed any more */
    if (ivrs.unit_count > IVRS_UNITS || (ivrs.usable && ivrs.unit_count == 0))
        abort();
    for (unsigned bdf = 0; bdf < 0x10000; bdf += 251) {
        int unit = ivrs_unit_of((uint16_t)bdf);

        /* What can be given away has a unit. */
        if (unit >= (int)ivrs.unit_count || (!ivrs_refusal((uint16_t)bdf) && unit < 0))
            abort();
    }
    return 0;
}
