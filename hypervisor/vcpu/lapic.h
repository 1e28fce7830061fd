/* The virtual local APIC: xAPIC page and x2APIC registers. */
#pragma once

#include "sched/timer.h"

struct vcpu;
struct domain;

#define LAPIC_LVTS 6u

struct lapic {
    uint64_t base; /* APIC_BASE MSR */
    uint32_t id;
    uint32_t tpr, ldr, dfr, svr, icr_low, icr_high;
    uint32_t lvt[LAPIC_LVTS]; /* timer, thermal, performance, LINT0, LINT1, error */
    uint32_t timer_initial, timer_divide;
    struct timer timer;
    uint32_t isr[8];
    uint32_t irr[8];       /* set atomically by anyone, taken by the vCPU's own CPU */
    volatile bool maybe;   /* irr may hold something: spares entries the search */
    volatile bool startup; /* INIT or a start-up IPI is to be seen to, or waited for */
    bool waits_for_sipi;
    uint64_t timer_started; /* ns */
    volatile bool nmi_pending;
    volatile bool init_pending;
    volatile uint16_t sipi; /* 0x100 | vector once a start-up IPI came */
};

/* An edge-triggered interrupt arrives (from any context); wakes the vCPU. */
void lapic_raise(struct vcpu *v, uint8_t vector);

/* An MSI written by a device or a guest: address and data as the PCI specification has them. */
void lapic_msi(struct domain *d, uint64_t address, uint32_t data);
#define LAPIC_MESSAGE_NMI 0x400u

/* The vector to deliver now, by priority; -1: none. lapic_accept moves it to in-service. */
int lapic_pending(const struct vcpu *v);
void lapic_accept(struct vcpu *v, uint8_t vector);

/* Something would be delivered if interrupts were enabled. */
bool lapic_has_work(const struct vcpu *v);

/*
 * Priority class (1 to 15) of a waiting interrupt that only the task priority
 * holds back, 0 if there is none: it is delivered as soon as the guest lowers it.
 */
unsigned lapic_blocked(const struct vcpu *v);

/* The APIC timer ran down: raises its vector, arms it again if periodic. */
void lapic_timer_fire(struct vcpu *v);

/* After a write of the initial count; and what is left of it. */
void lapic_timer_start(struct vcpu *v);
uint32_t lapic_timer_current(const struct lapic *l);

/* The state after INIT, in x2APIC mode. */
void lapic_reset(struct vcpu *v);

/* In xAPIC mode the registers are a page of memory. */
bool lapic_page_is_on(const struct lapic *l);

/* Registers by their offset in the page (0x20 ... 0x3f0); false: a #GP in x2APIC mode. */
bool lapic_read(struct vcpu *v, uint32_t offset, uint32_t *value);
bool lapic_write(struct vcpu *v, uint32_t offset, uint32_t value);

/* The same as MSRs 0x800 to 0x8ff, and APIC_BASE (0x1b); false: #GP. */
bool lapic_msr_read(struct vcpu *v, uint32_t index, uint64_t *value);
bool lapic_msr_write(struct vcpu *v, uint32_t index, uint64_t value);
