/* The virtual local APIC: xAPIC page and x2APIC registers. */
#ifndef VCPU_LAPIC_H
#define VCPU_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/timer.h"

struct vcpu;
struct domain;

struct lapic {
    uint64_t base; /* APIC_BASE MSR */
    uint32_t id;
    uint32_t tpr, ldr, dfr, svr, esr, icr_low, icr_high;
    uint32_t lvt[7]; /* CMCI, timer, thermal, performance, LINT0, LINT1, error */
    uint32_t timer_initial, timer_divide;
    struct timer timer;
    uint32_t isr[8], tmr[8];
    uint32_t irr[8]; /* set atomically by anyone, taken by the vCPU's own CPU */
    volatile bool nmi_pending;
    volatile bool init_pending;
    volatile uint16_t sipi; /* 0x100 | vector once a start-up IPI came */
};

/* An edge-triggered interrupt arrives (from any context); wakes the vCPU. */
void lapic_raise(struct vcpu *v, uint8_t vector);

/* An MSI written by a device or a guest: address and data as the PCI specification has them. */
void lapic_msi(struct domain *d, uint64_t address, uint32_t data);

/* The vector to deliver now, by priority; -1: none. lapic_accept moves it to in-service. */
int lapic_pending(const struct vcpu *v);
void lapic_accept(struct vcpu *v, uint8_t vector);

/* Something would be delivered if interrupts were enabled. */
bool lapic_has_work(const struct vcpu *v);

/* The APIC timer ran down: raises its vector, arms it again if periodic. */
void lapic_timer_fire(struct vcpu *v);

void lapic_reset(struct vcpu *v, bool x2apic);

#endif
