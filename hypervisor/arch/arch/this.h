/* The CPU that runs this code. Host tests have a header of their own in its place. */
#pragma once

struct cpu;

static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;
    __asm__("movq %%gs:0, %0" : "=r"(cpu)); /* the same for ever: the core's code never moves */
    return cpu;
}

/* Inside a loop that waits for another CPU. */
static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}
