/* The CPU that runs this code. */
#ifndef ARCH_THIS_H
#define ARCH_THIS_H

struct cpu;

static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

#endif
