/* Moves: domains and devices, a byte at a time, over units of both vendors. */
#include <stdlib.h>

#include "check.h"
#include "iommu/moves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Outside a unit test a broken expectation ends the program, so that the input is kept. */
void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size = size < 256 ? size : 256;
    iommu_moves(&fake_vtd, data, size);
    check_balance();
    iommu_moves(&fake_amdvi, data, size);
    check_balance();
    return 0;
}
