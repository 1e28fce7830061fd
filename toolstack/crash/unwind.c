/*
 * From frame to frame by what the compiler wrote of them. The C library's functions
 * are not described: behind one of these, the next word of the stack that can be a
 * return address is taken, and marked as a guess. A call stands before it, of this
 * function if there is such a word.
 */
#include "unwind.h"

#include <string.h>

/* The next word from RSP on that can be a return address; callee 0: of whatever call. */
static bool search(const struct image *image, const struct frames_stack *stack, uint64_t callee,
                   uint64_t registers[LIFE_REGISTERS])
{
    uint64_t word;

    for (uint64_t at = registers[LIFE_RSP]; frames_word(stack, at, &word); at += sizeof(word)) {
        if (!image_is_code(image, word) || !(callee ? image_follows_call_of(image, word, callee)
                                                    : image_follows_call(image, word)))
            continue;
        registers[LIFE_RIP] = word;
        registers[LIFE_RSP] = at + sizeof(word);
        return true;
    }
    return false;
}

/* Better who calls this very function than what an earlier call left on the stack. */
static bool guess(const struct image *image, const struct frames_stack *stack, uint64_t pc,
                  uint64_t registers[LIFE_REGISTERS])
{
    return search(image, stack, pc, registers) || search(image, stack, 0, registers);
}

/* A call through a null pointer or into data: the caller's address lies on top of the stack. */
static bool is_lost(const struct image *image, uint64_t pc)
{
    return !image_is_code(image, pc);
}

unsigned unwind(const struct image *image, const struct frames_stack *stack,
                const uint64_t registers[LIFE_REGISTERS], bool is_return,
                struct unwind_frame frames[UNWIND_MAX])
{
    uint64_t now[LIFE_REGISTERS];
    unsigned count = 0;
    bool guessed = false;

    memcpy(now, registers, sizeof(now));
    for (;;) {
        uint64_t pc = now[LIFE_RIP] - (is_return ? 1 : 0);
        uint64_t below = now[LIFE_RSP];

        frames[count++] = (struct unwind_frame){pc, guessed};
        if (count == UNWIND_MAX)
            return count;
        guessed = is_lost(image, pc) || !frames_up(image, stack, pc, now);
        if (guessed && !guess(image, stack, pc, now))
            return count;
        /* Stacks grow down, so callers' frames lie above: what goes in circles is made up. */
        if (now[LIFE_RSP] <= below || !image_is_code(image, now[LIFE_RIP] - 1))
            return count;
        is_return = true;
    }
}
