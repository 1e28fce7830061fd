/*
 * Windows: short-lived views of frames that the core does not map. Two of each CPU
 * (which is 0 or 1), each showing one frame until its next use or peek_end; closed
 * on the same CPU before it schedules, never used from an interrupt. The caller
 * holds a reference on the frame as long, or reads the p2m (p2m_read_begin).
 */
#pragma once

#include <abi/addr.h>

#include <arch/cpu.h>
#include <arch/table.h>

/* Present, writable, accessed, dirty, not executable. */
#define PEEK_FLAGS 0x8000000000000063ull

static inline void *peek(unsigned which, mfn_t mfn)
{
    const struct cpu_peek *p = &cpu_this()->peek[which];
    uint64_t entry = mfn.v << PAGE_SHIFT | PEEK_FLAGS;

    if (*p->entry != entry) {
        table_write(p->entry, entry);
        __asm__ volatile("invlpg (%0)" : : "r"(p->address) : "memory");
    }
    return p->address;
}

static inline void peek_end(void)
{
    const struct cpu *cpu = cpu_this();

    for (unsigned i = 0; i < WINDOWS; i++)
        if (*cpu->peek[i].entry) {
            table_write(cpu->peek[i].entry, 0);
            __asm__ volatile("invlpg (%0)" : : "r"(cpu->peek[i].address) : "memory");
        }
}
