/* Any bytes as a bundle: what is found lies inside. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "domain/bundle.h"
#include "domain/first.h"

#define START   (FAKE_FIRST + FAKE_POOL)
#define LEN_MAX 0x100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t offset, len;
    char byte;

    if (size > LEN_MAX)
        return 0;
    fake_machine();
    memcpy(fake_frame(START), data, size);
    boot_options.bundle = (hpa_t){(uint64_t)START << PAGE_SHIFT};
    boot_options.bundle_len = size;
    if (bundle_find("bulkhead/control.elf", &offset, &len) == 0) {
        if (offset > size || len > size - offset)
            abort();
        if (len > 0 && bundle_read(offset + len - 1, &byte, 1) < 0)
            abort();
    }
    check_balance();
    return 0;
}
