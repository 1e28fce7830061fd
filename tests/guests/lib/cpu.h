/* The few instructions that C has no words for. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include <stdint.h>

struct cpu_regs {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

static inline struct cpu_regs cpu_id(uint32_t leaf, uint32_t sub)
{
    struct cpu_regs r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "0"(leaf), "2"(sub)
                     : "memory");
    return r;
}

/* The fences keep what is measured between two readings. */
static inline uint64_t cpu_tsc(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_msr_read(uint32_t msr)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void cpu_msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline void cpu_irq_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void cpu_irq_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* An interrupt cannot come between the two: it ends the halt. */
static inline void cpu_halt_irq_on(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_barrier(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline void cpu_fence(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

#endif
