/*
 * Any registers and any stack over the tiny image, whose bytes may be changed, too:
 * input is pairs (place, byte) up to a place of 0xffff, then registers, then the stack.
 */
#include "unwind.h"

#include <stdlib.h>
#include <string.h>

#include "tiny.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t change(uint8_t *bytes, size_t len, const uint8_t *data, size_t size)
{
    size_t used = 0;

    while (size - used >= 3) {
        size_t place = data[used] | (size_t)data[used + 1] << 8;

        used += 3;
        if (place == 0xffff)
            break;
        bytes[place % len] = data[used - 1];
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len;
    const uint8_t *good = tiny_image(&len);
    uint8_t *bytes = malloc(len);
    uint64_t registers[LIFE_REGISTERS] = {0};
    struct unwind_frame found[UNWIND_MAX];
    struct frames_stack stack = {.base = 0x300000};
    struct image image;
    uint64_t offset;

    if (!bytes)
        abort();
    memcpy(bytes, good, len);
    size_t used = change(bytes, len, data, size);
    size_t words = size - used < sizeof(registers) ? size - used : sizeof(registers);

    if (words > 0)
        memcpy(registers, data + used, words);
    stack.bytes = data + used + words;
    stack.len = size - used - words;
    if (image_open(&image, bytes, len)) {
        unsigned count = unwind(&image, &stack, registers, size & 1, found);

        if (count == 0 || count > UNWIND_MAX)
            abort();
        for (unsigned i = 0; i < count; i++) {
            const char *name = image_function(&image, found[i].address, &offset);

            if (name && strlen(name) >= len)
                abort();
        }
    }
    free(bytes);
    return 0;
}
