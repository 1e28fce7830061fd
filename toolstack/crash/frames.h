/* The caller's registers, by what the compiler wrote of each function's frame (DWARF's CFI). */
#ifndef CRASH_FRAMES_H
#define CRASH_FRAMES_H

#include "image.h"

#include <abi/life.h>

/* What was on the stack; where it is not known words are not there. */
struct frames_stack {
    uint64_t base;
    const uint8_t *bytes;
    size_t len;
};

bool frames_word(const struct frames_stack *stack, uint64_t address, uint64_t *word);

/*
 * Goes from a function to its caller: registers by DWARF's numbers. pc is the
 * address whose frame counts: that of an exception, or inside the call before a
 * return address. False: nothing is known of that function's frame.
 */
bool frames_up(const struct image *image, const struct frames_stack *stack, uint64_t pc,
               uint64_t registers[LIFE_REGISTERS]);

#endif
