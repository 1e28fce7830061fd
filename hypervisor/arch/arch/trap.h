/* Exceptions of the core itself. */
#pragma once

#include <stdint.h>

/* As trap.S pushes it. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The interrupt descriptor table of this CPU; gates for NMI, #DF and #MC use stacks of their own.
 */
void trap_init(void);

#define TRAP_IST_NMI    1
#define TRAP_IST_DOUBLE 2
#define TRAP_IST_CHECK  3
#define TRAP_IST_COUNT  3
