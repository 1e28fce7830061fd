/*
 * For check_frames.py: what the unwinder makes of addresses of an image. The stack
 * holds its own addresses, so that a register that is read shows from where.
 */
#include "frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK     0x10000000ull
#define STACK_LEN 0x10000u

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *bytes = malloc(16u << 20);

    *len = f && bytes ? fread(bytes, 1, 16u << 20, f) : 0;
    if (f)
        (void)fclose(f);
    return bytes;
}

/* RSP and RBP are places on the stack; every other register is its number. */
static void dump(const struct image *image, const struct frames_stack *stack, uint64_t pc)
{
    uint64_t registers[LIFE_REGISTERS];

    for (unsigned i = 0; i < LIFE_REGISTERS; i++)
        registers[i] = i;
    registers[LIFE_RSP] = STACK + STACK_LEN / 4;
    registers[LIFE_RBP] = STACK + STACK_LEN / 2;
    printf("%" PRIx64, pc);
    if (image_is_code(image, pc) && frames_up(image, stack, pc, registers))
        for (unsigned i = 0; i < LIFE_REGISTERS; i++)
            printf(" %" PRIx64, registers[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static uint64_t words[STACK_LEN / sizeof(uint64_t)];
    const struct frames_stack stack = {STACK, (const uint8_t *)words, sizeof(words)};
    struct image image;
    size_t len = 0;
    char *bytes = argc > 1 ? read_file(argv[1], &len) : NULL;
    char line[64];

    if (!bytes || !image_open(&image, bytes, len))
        return 1;
    for (unsigned i = 0; i < STACK_LEN / sizeof(uint64_t); i++)
        words[i] = STACK + i * sizeof(uint64_t);
    while (fgets(line, sizeof(line), stdin))
        dump(&image, &stack, strtoull(line, NULL, 16));
    free(bytes);
    return 0;
}
