/* Gives each CPU the entries of the core's page tables that are its own. */
#include "mm/window.h"

#include "mm/paging.h"

_Static_assert(WINDOWS <= PAGING_WINDOW_SLOTS, "slots of one CPU");

void window_init(void)
{
    struct cpu *cpu = cpu_this();
    uint64_t slot = (uint64_t)cpu->id * PAGING_WINDOW_SLOTS;

    for (unsigned i = 0; i < WINDOWS; i++, slot++) {
        uint64_t at = PAGING_WINDOW_BASE + slot * PAGE_SIZE;

        cpu->peek[i].entry = &paging_window_entries[slot];
        cpu->peek[i].address = (char *)(uintptr_t)at; /* NOLINT(performance-no-int-to-ptr) */
    }
}
