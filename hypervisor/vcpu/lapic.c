/* The virtual local APIC: registers, priorities, messages, inter-processor interrupts. */
#include "vcpu/lapic.h"

#include <abi/layout.h>

#include <arch/apic.h>
#include <arch/msr.h>

#include "domain/domain.h"
#include "sched/sched.h"
#include "vcpu/vcpu.h"

/* Integrated APIC with six local vectors, as on processors since the Pentium 4. */
#define VERSION 0x50014u

#define SVR_WRITABLE 0x1ffu

#define ICR_WRITABLE        0xcdfffu
#define ICR_LOGICAL         (1u << 11)
#define ICR_ASSERT          (1u << 14)
#define ICR_MODE_SHIFT      8
#define ICR_SHORTHAND_SHIFT 18

enum delivery {
    DELIVER_FIXED = 0,
    DELIVER_LOWEST = 1,
    DELIVER_NMI = 4,
    DELIVER_INIT = 5,
    DELIVER_STARTUP = 6
};
enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

#define DESTINATION_ALL 0xffu
#define X2APIC_ALL      0xffffffffu
#define VECTOR_FIRST    16u

static bool is_x2apic(const struct lapic *l)
{
    return (l->base & APIC_BASE_X2APIC) != 0;
}

bool lapic_page_is_on(const struct lapic *l)
{
    return (l->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) == APIC_BASE_ENABLE;
}

static int highest(const uint32_t bits[8])
{
    for (unsigned i = 8; i-- > 0;)
        if (bits[i])
            return (int)(i * 32 + 31) - __builtin_clz(bits[i]);
    return -1;
}

/* Interrupts of this priority class and below wait. */
static uint32_t processor_priority(const struct lapic *l)
{
    int serving = highest(l->isr);
    uint32_t class = serving < 0 ? 0 : (uint32_t)serving & 0xf0;

    return (l->tpr & 0xf0) >= class ? l->tpr : class;
}

int lapic_pending(const struct vcpu *v)
{
    int vector = highest(v->lapic.irr);

    if (!(v->lapic.svr & APIC_SVR_ENABLE))
        return -1;
    if (vector < 0 || ((uint32_t)vector & 0xf0) <= (processor_priority(&v->lapic) & 0xf0))
        return -1;
    return vector;
}

unsigned lapic_blocked(const struct vcpu *v)
{
    int vector = highest(v->lapic.irr);
    int serving = highest(v->lapic.isr);

    if (!(v->lapic.svr & APIC_SVR_ENABLE) || vector < 0 ||
        (serving >= 0 && vector >> 4 <= serving >> 4))
        return 0;
    return (unsigned)vector >> 4;
}

bool lapic_has_work(const struct vcpu *v)
{
    const struct lapic *l = &v->lapic;

    return l->nmi_pending || l->init_pending || l->sipi || (l->maybe && lapic_pending(v) >= 0);
}

void lapic_accept(struct vcpu *v, uint8_t vector)
{
    struct lapic *l = &v->lapic;
    uint32_t bit = 1u << (vector % 32);

    __atomic_fetch_and(&l->irr[vector / 32], ~bit, __ATOMIC_SEQ_CST);
    l->isr[vector / 32] |= bit;
    /* Cleared before the search, so that one that arrives meanwhile sets it again. */
    __atomic_store_n(&l->maybe, false, __ATOMIC_SEQ_CST);
    if (highest(l->irr) >= 0)
        l->maybe = true;
}

void lapic_raise(struct vcpu *v, uint8_t vector)
{
    struct lapic *l = &v->lapic;

    /* While software has the APIC off, requests wait: an upcall is told only once. */
    if (vector < VECTOR_FIRST || !(l->base & APIC_BASE_ENABLE))
        return;
    __atomic_fetch_or(&l->irr[vector / 32], 1u << (vector % 32), __ATOMIC_SEQ_CST);
    __atomic_store_n(&l->maybe, true, __ATOMIC_SEQ_CST);
    if (l->svr & APIC_SVR_ENABLE)
        sched_wake(v);
}

static void end_of_interrupt(struct lapic *l)
{
    int vector = highest(l->isr);

    if (vector >= 0)
        l->isr[vector / 32] &= ~(1u << ((unsigned)vector % 32));
}

/* ---- who is meant ---- */

static bool is_meant(const struct vcpu *v, uint32_t destination, bool logical, bool wide)
{
    const struct lapic *l = &v->lapic;

    if (destination == (wide ? X2APIC_ALL : DESTINATION_ALL))
        return true;
    if (!logical)
        return l->id == destination;
    if (is_x2apic(l)) {
        /* Messages have 8 bits: cluster 0 only. */
        return destination >> 16 == l->ldr >> 16 && (destination & l->ldr & 0xffff) != 0;
    }
    if (l->dfr >> 28 == 0xf)
        return (destination & l->ldr >> 24) != 0;
    return (destination >> 4) == l->ldr >> 28 && (destination & l->ldr >> 24 & 0xf) != 0;
}

static void receive(struct vcpu *v, enum delivery mode, uint8_t vector)
{
    struct lapic *l = &v->lapic;

    switch (mode) {
    case DELIVER_FIXED:
    case DELIVER_LOWEST: lapic_raise(v, vector); return;
    case DELIVER_NMI: l->nmi_pending = true; break;
    case DELIVER_INIT:
        l->init_pending = true;
        l->startup = true;
        break;
    case DELIVER_STARTUP:
        __atomic_store_n(&l->sipi, (uint16_t)(0x100u | vector), __ATOMIC_SEQ_CST);
        l->startup = true;
        if (v->state == VCPU_DOWN && l->waits_for_sipi)
            sched_start(v);
        break;
    default: return; /* SMI and reserved: dropped */
    }
    sched_wake(v);
}

static void send(struct domain *d, const struct vcpu *from, uint32_t icr, uint32_t destination)
{
    enum delivery mode = (enum delivery)(icr >> ICR_MODE_SHIFT & 7);
    enum shorthand shorthand = (enum shorthand)(icr >> ICR_SHORTHAND_SHIFT & 3);
    bool wide = from && is_x2apic(&from->lapic);

    if (mode == DELIVER_INIT && !(icr & ICR_ASSERT))
        return; /* the de-assert of old processors */
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        bool is_self = from && v == from;

        if (shorthand == TO_SELF ? !is_self : shorthand == TO_OTHERS && is_self)
            continue;
        if (shorthand == TO_DESTINATION &&
            !is_meant(v, destination, (icr & ICR_LOGICAL) != 0, wide))
            continue;
        receive(v, mode, (uint8_t)icr);
        if (mode == DELIVER_LOWEST)
            return;
    }
}

void lapic_msi(struct domain *d, uint64_t address, uint32_t data)
{
    /* PCI messages: destination in bits 12-19, logical mode in bit 2, else as the ICR. */
    uint32_t icr = (data & 0x7ff) | ICR_ASSERT | (address & 4 ? ICR_LOGICAL : 0);

    if ((address & ~0xfffffull) != LAYOUT_LAPIC_BASE)
        return;
    send(d, NULL, icr, (uint32_t)address >> 12 & 0xff);
}

/* ---- registers ---- */

/* The logical id is made from the id: its cluster of 16 and a bit in it. */
static uint32_t x2apic_ldr(const struct lapic *l)
{
    return (l->id >> 4) << 16 | 1u << (l->id & 15);
}

void lapic_reset(struct vcpu *v)
{
    struct lapic *l = &v->lapic;

    timer_stop(&l->timer);
    l->base =
        LAYOUT_LAPIC_BASE | APIC_BASE_ENABLE | APIC_BASE_X2APIC | (v->id == 0 ? APIC_BASE_BSP : 0);
    l->id = v->id;
    l->ldr = x2apic_ldr(l);
    l->dfr = UINT32_MAX;
    l->svr = 0xff;
    l->tpr = l->icr_low = l->icr_high = l->timer_initial = l->timer_divide = 0;
    for (unsigned i = 0; i < LAPIC_LVTS; i++)
        l->lvt[i] = APIC_MASKED;
    for (unsigned i = 0; i < 8; i++)
        l->isr[i] = l->irr[i] = 0;
    l->maybe = l->nmi_pending = false;
}

bool lapic_read(struct vcpu *v, uint32_t offset, uint32_t *value)
{
    struct lapic *l = &v->lapic;
    unsigned word = offset / 16 % 8;

    *value = 0;
    switch (offset) {
    case APIC_ID: *value = is_x2apic(l) ? l->id : l->id << 24; return true;
    case APIC_VERSION: *value = VERSION; return true;
    case APIC_TPR: *value = l->tpr; return true;
    case APIC_PPR: *value = processor_priority(l); return true;
    case APIC_LDR: *value = l->ldr; return true;
    case APIC_DFR: *value = l->dfr; return !is_x2apic(l);
    case APIC_SVR: *value = l->svr; return true;
    case APIC_ISR ... APIC_ISR + 0x70: *value = l->isr[word]; return true;
    case APIC_TMR ... APIC_TMR + 0x70: return true; /* all are edges, */
    case APIC_IRR ... APIC_IRR + 0x70: *value = l->irr[word]; return true;
    case APIC_ESR: return true; /* and there are no errors */
    case APIC_ICR: *value = l->icr_low; return true;
    case APIC_ICR_HIGH: *value = l->icr_high; return !is_x2apic(l);
    case APIC_LVT ... APIC_LVT_LAST: *value = l->lvt[(offset - APIC_LVT) / 16]; return true;
    case APIC_TIMER_INITIAL: *value = l->timer_initial; return true;
    case APIC_TIMER_CURRENT: *value = lapic_timer_current(l); return true;
    case APIC_TIMER_DIVIDE: *value = l->timer_divide; return true;
    default: return false;
    }
}

static void svr_write(struct lapic *l, uint32_t value)
{
    l->svr = value & SVR_WRITABLE;
    if (!(value & APIC_SVR_ENABLE))
        for (unsigned i = 0; i < LAPIC_LVTS; i++)
            l->lvt[i] |= APIC_MASKED;
}

static void lvt_write(struct lapic *l, uint32_t offset, uint32_t value)
{
    value &= offset == APIC_LVT ? 0x300ffu : 0x1a7ffu;
    if (!(l->svr & APIC_SVR_ENABLE))
        value |= APIC_MASKED;
    l->lvt[(offset - APIC_LVT) / 16] = value;
}

bool lapic_write(struct vcpu *v, uint32_t offset, uint32_t value)
{
    struct lapic *l = &v->lapic;

    switch (offset) {
    case APIC_TPR: l->tpr = value & 0xff; return true;
    case APIC_EOI: end_of_interrupt(l); return true;
    case APIC_LDR: l->ldr = value & 0xff000000u; return true;
    case APIC_DFR: l->dfr = value | 0x0fffffffu; return true;
    case APIC_SVR: svr_write(l, value); return true;
    case APIC_ESR: return true;
    case APIC_ICR:
        l->icr_low = value & ICR_WRITABLE;
        send(v->domain, v, l->icr_low, is_x2apic(l) ? l->icr_high : l->icr_high >> 24);
        return true;
    case APIC_ICR_HIGH: l->icr_high = value; return true;
    case APIC_LVT ... APIC_LVT_LAST: lvt_write(l, offset, value); return true;
    case APIC_TIMER_INITIAL:
        l->timer_initial = value;
        lapic_timer_start(v);
        return true;
    case APIC_TIMER_DIVIDE: l->timer_divide = value & 0xb; return true;
    default: return false;
    }
}

/* The page stays where it is: nothing that we run moves it. */
static bool base_write(struct vcpu *v, uint64_t value)
{
    struct lapic *l = &v->lapic;
    bool x2apic = (value & APIC_BASE_X2APIC) != 0;

    if ((value & ~(APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE)) != LAYOUT_LAPIC_BASE)
        return false;
    if (x2apic && !(value & APIC_BASE_ENABLE))
        return false;
    /* From x2APIC back only by way of "disabled". */
    if (is_x2apic(l) && !x2apic && (value & APIC_BASE_ENABLE))
        return false;
    if (x2apic && !is_x2apic(l))
        l->ldr = x2apic_ldr(l);
    l->base = (value & ~APIC_BASE_BSP) | (l->base & APIC_BASE_BSP);
    return true;
}

/* x2APIC: register offset / 16 from MSR 0x800; some exist in only one of the two forms. */
bool lapic_msr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    uint32_t offset = (index & 0x3f) << 4;
    uint32_t low;

    if (index == MSR_APIC_BASE) {
        *value = v->lapic.base;
        return true;
    }
    if (!is_x2apic(&v->lapic) || index > 0x83f || offset == APIC_EOI ||
        !lapic_read(v, offset, &low))
        return false;
    *value = low;
    if (offset == APIC_ICR)
        *value |= (uint64_t)v->lapic.icr_high << 32;
    return true;
}

bool lapic_msr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    struct lapic *l = &v->lapic;
    uint32_t offset = (index & 0x3f) << 4;

    if (index == MSR_APIC_BASE)
        return base_write(v, value);
    if (!is_x2apic(l) || index > 0x83f)
        return false;
    if (offset == APIC_ICR) {
        l->icr_high = (uint32_t)(value >> 32);
        return lapic_write(v, APIC_ICR, (uint32_t)value);
    }
    if (value >> 32 || offset == APIC_LDR || offset == APIC_DFR || offset == APIC_ICR_HIGH)
        return false;
    if ((offset == APIC_EOI || offset == APIC_ESR) && value != 0)
        return false;
    if (offset == APIC_SELF_IPI) {
        lapic_raise(v, (uint8_t)value);
        return true;
    }
    return lapic_write(v, offset, (uint32_t)value);
}
