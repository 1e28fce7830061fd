/* The pretend machine's CPUs: one is current, and waiting lets the test act for the others. */
#ifndef ARCH_THIS_H
#define ARCH_THIS_H

struct cpu;

struct cpu *cpu_this(void);
void cpu_relax(void);

#endif
