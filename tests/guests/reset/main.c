/*
 * Says what the last owner of its device (QEMU's "edu") left in it, and leaves
 * something itself. What it finds in configuration space is as for the first owner.
 */
#include "check.h"
#include "console.h"

#include <abi/addr.h>
#include <abi/layout.h>

#define EDU_ID    0x11e81234u
#define EDU_ALIVE 4u /* reads as what was written, inverted */
#define EDU_OURS  0x5a5a1234u
#define BUSES     2u
#define BAR       16u
#define COMMAND   4u
#define MEMORY    2u
#define COMMANDS  0xffffu

static volatile uint32_t *config(unsigned slot, unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(LAYOUT_ECAM_BASE + slot * 8 * PAGE_SIZE + offset);
}

TEST(what_was_left)
{
    volatile uint32_t *alive;
    unsigned slot = 0;

    while (slot < 32 * BUSES && *config(slot, 0) != EDU_ID)
        slot++;
    EXPECT(slot < 32 * BUSES);
    EXPECT((*config(slot, COMMAND) & COMMANDS) == 0);
    *config(slot, COMMAND) = MEMORY;
    alive = (volatile uint32_t *)(uintptr_t)((*config(slot, BAR) & ~0xfu) + EDU_ALIVE);
    console_print("reset: %s\n", *alive == 0 ? "clean" : *alive == ~EDU_OURS ? "used" : "strange");
    *alive = EDU_OURS;
    EXPECT(*alive == ~EDU_OURS);
}
