/* CPUs: which one this is, their common data, waiting. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <arch/this.h>

#define CPU_MAX 64

struct vcpu;
struct p2m;
struct lookup;

#define WINDOWS 2u

/* A window: its entry in the core's page tables, and where it shows. */
struct cpu_peek {
    uint64_t *entry;
    char *address;
};

/* The latest page of a guest's linear addresses that was found, until the guest runs again. */
struct cpu_known {
    const struct vcpu *vcpu; /* NULL: nothing is known */
    uint64_t page;           /* linear page number */
    uint64_t gpa;            /* of the page */
    bool writable;
};

/* What every CPU has of its own; reached through GS. */
struct cpu {
    struct cpu *self; /* at offset 0, for assembly */
    unsigned id;      /* 0 ... cpu_count() - 1 */
    uint32_t apic_id;
    struct vcpu *current;      /* whose vCPU runs here; NULL: idle */
    uint32_t locks_held;       /* bit per lock rank */
    volatile bool timer_fired; /* set by the timer interrupt, taken by the scheduler */
    volatile bool resched;     /* set by anyone, with an IPI if remote */
    bool device;               /* a device interrupts */
    bool sending; /* the current vCPU sends an event: whom it wakes may wait a little */
    /* Whose tables it looks at: they and their frames stay. */
    const struct p2m *volatile reading[2];
    struct cpu_peek peek[WINDOWS];
    struct cpu_known known;
    struct lookup *lookups; /* nested entries it found lately (mm/lookup.h) */
};

struct cpu *cpu_by_id(unsigned id);
unsigned cpu_count(void);

/* This CPU's segments, control registers and exception stacks; gates are loaded by trap_init. */
void cpu_init(unsigned id);

/* Makes a CPU leave the guest or its idle halt and look at its flags. */
void cpu_kick(unsigned id);

/* Halts until an interrupt, which is handled before the return. Interrupts are off around it. */
void cpu_idle_halt(void);

/* Takes pending interrupts now (after a VM exit). Interrupts are off around it. */
void cpu_take_interrupts(void);

/* Stops this CPU for good. */
_Noreturn void cpu_stop(void);

/* Bits of a physical address, at most 48: what four levels of nested tables reach. */
unsigned cpu_physical_bits(void);

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf);
