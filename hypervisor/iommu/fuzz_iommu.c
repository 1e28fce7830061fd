/* Moves: domains and devices, a byte at a time. */
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
    iommu_moves(data, size < 256 ? size : 256);
    check_balance();
    return 0;
}
