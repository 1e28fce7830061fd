/* Any bytes as an archive: a walk ends, and every file lies inside. */
#include <cpio.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_file f;
    size_t offset = 0;
    size_t before = 0;

    while (cpio_next(data, size, &offset, &f)) {
        if (offset <= before || offset > size || f.data < data || f.data + f.len > data + size ||
            strlen(f.name) > size)
            abort();
        before = offset;
    }
    (void)cpio_find(data, size, "/etc/one", &f);
    return 0;
}
