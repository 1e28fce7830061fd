/* Who called whom, from the registers and the stack that a domain left. */
#ifndef CRASH_UNWIND_H
#define CRASH_UNWIND_H

#include "frames.h"

#define UNWIND_MAX 32u

struct unwind_frame {
    uint64_t address; /* inside the function: of the exception, or of a call */
    bool guess;       /* found on the stack behind a function of which nothing is known */
};

/*
 * The frames from the innermost on; how many. is_return: what RIP holds is a return
 * address already. Every byte may be hostile but the image's.
 */
unsigned unwind(const struct image *image, const struct frames_stack *stack,
                const uint64_t registers[LIFE_REGISTERS], bool is_return,
                struct unwind_frame frames[UNWIND_MAX]);

#endif
