/* Any bytes as a bundle: what is found lies inside. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

#include <abi/layout.h>

#include "domain/bundle.h"
#include "domain/first.h"
#include "mm/copy.h"

static const uint8_t *bundle;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

int copy_from_gpa(struct domain *, void *dst, gpa_t src, size_t len)
{
    if (src.v < LAYOUT_BUNDLE || src.v - LAYOUT_BUNDLE + len > boot_options.bundle_len)
        abort();
    memcpy(dst, bundle + (src.v - LAYOUT_BUNDLE), len);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t offset, len;
    char byte;

    bundle = data;
    boot_options.bundle_len = size;
    if (bundle_find(NULL, "bulkhead/control.elf", &offset, &len) == 0) {
        if (offset > size || len > size - offset)
            abort();
        if (len > 0 && bundle_read(NULL, offset + len - 1, &byte, 1) < 0)
            abort();
    }
    return 0;
}
