/* Deadlines of one CPU, by kind: what happens then stands in timer.c. */
#pragma once

#include <stdint.h>

#include "util/list.h"

enum timer_kind {
    TIMER_SINGLESHOT, /* a vCPU's PV timer: VIRQ_TIMER */
    TIMER_POLL,       /* the end of a vCPU's SCHEDOP_poll */
    TIMER_LAPIC       /* a vCPU's local APIC timer */
};

/* Lives inside a vCPU; the kind says where. */
struct timer {
    uint64_t deadline; /* ns; meaningful while armed */
    struct list list;  /* in its CPU's queue, by deadline */
    bool armed;
    uint8_t kind;
    uint8_t cpu;
};

void timer_init(struct timer *timer, enum timer_kind kind);

/* Arms (again) on this CPU. A deadline in the past fires at the next timer_run. */
void timer_arm(struct timer *timer, uint64_t deadline);

/* Safe on any CPU, also if not armed. */
void timer_stop(struct timer *timer);

/* The same, and its handler runs nowhere any more. No lock held. */
void timer_end(struct timer *timer);

/*
 * Fires what is due on this CPU, no lock held, and arms the hardware for the
 * next deadline or for `latest` (ns), whichever comes first.
 */
void timer_run(uint64_t latest);

/* Only lowers `latest` of this CPU; fires nothing. */
void timer_limit(uint64_t latest);
