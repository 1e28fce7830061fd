/* Instruction bytes of a hostile guest: the first byte chooses the mode. */
#include "vcpu/mmio.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mmio_access a;

    if (size < 1)
        return 0;
    if (!mmio_decode(data + 1, size - 1, (enum mmio_mode)(data[0] % 3), &a))
        return 0;
    if (a.length == 0 || a.length > MMIO_MAX_LENGTH || a.length > size - 1)
        abort();
    if ((a.size != 1 && a.size != 2 && a.size != 4 && a.size != 8) || a.width < a.size ||
        a.reg > 19 || (a.exchange && !a.write))
        abort();
    return 0;
}
