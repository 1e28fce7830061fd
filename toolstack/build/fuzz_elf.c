/* Any bytes as a kernel image: what is accepted must lie inside the file and below 4 GiB. */
#include "elf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    const char *why;
    uint64_t end = 0;

    if (elf_read(data, size, &image, &why) != 0)
        return 0;
    for (unsigned i = 0; i < image.segment_count; i++) {
        const struct elf_segment *s = &image.segments[i];

        if (s->offset > size || s->file_len > size - s->offset || s->file_len > s->len ||
            s->gpa < end || s->gpa + s->len > 0x100000000ull)
            abort();
        end = s->gpa + s->len;
    }
    if (image.offer > size || image.offer_len > size - image.offer)
        abort();
    if (image.segment_count == 0 || image.end != end || image.start != image.segments[0].gpa)
        abort();
    return 0;
}
