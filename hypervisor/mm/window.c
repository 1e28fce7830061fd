/* Windows: entries of the core's page tables that are this CPU's own. */
#include "mm/window.h"

#include <arch/cpu.h>
#include <arch/peek.h>
#include <arch/table.h>

#include "mm/paging.h"
#include "util/check.h"

#define PEEK_SLOT WINDOW_COUNT /* and the one after it */

_Static_assert(WINDOW_COUNT + 2 <= PAGING_WINDOW_SLOTS, "slots of one CPU");

static char *slot_address(unsigned slot)
{
    uint64_t at = PAGING_WINDOW_BASE + (uint64_t)slot * PAGE_SIZE;

    return (char *)(uintptr_t)at; /* NOLINT(performance-no-int-to-ptr) */
}

/* Only this CPU ever used the translation, so only this CPU forgets it. */
static void slot_forget(const char *address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void *window_map(mfn_t mfn)
{
    struct cpu *cpu = cpu_this();
    uint32_t free = ~cpu->windows_used & ((1u << WINDOW_COUNT) - 1);

    CHECK(free);
    unsigned i = (unsigned)__builtin_ctz(free);
    unsigned slot = cpu->id * PAGING_WINDOW_SLOTS + i;
    cpu->windows_used |= 1u << i;
    table_write(&paging_window_entries[slot], mfn.v << PAGE_SHIFT | PEEK_FLAGS);
    return slot_address(slot);
}

void window_unmap(const void *p)
{
    struct cpu *cpu = cpu_this();
    uint64_t slot = ((uintptr_t)p - PAGING_WINDOW_BASE) >> PAGE_SHIFT;
    uint64_t i = slot - (uint64_t)cpu->id * PAGING_WINDOW_SLOTS;

    CHECK(i < WINDOW_COUNT && cpu->windows_used & 1u << i);
    table_write(&paging_window_entries[slot], 0);
    slot_forget(slot_address((unsigned)slot));
    cpu->windows_used &= ~(1u << i);
}

void window_init(void)
{
    struct cpu *cpu = cpu_this();
    unsigned slot = cpu->id * PAGING_WINDOW_SLOTS + PEEK_SLOT;

    for (unsigned i = 0; i < 2; i++)
        cpu->peek[i] = (struct cpu_peek){&paging_window_entries[slot + i], slot_address(slot + i)};
}
