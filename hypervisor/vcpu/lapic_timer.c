/* The local APIC's timer: one tick of its bus is a nanosecond. */
#include <arch/apic.h>
#include <arch/clock.h>

#include "vcpu/vcpu.h"

#define LVT_PERIODIC (1u << 17)
#define PERIOD_MIN   100000u /* ns: a shorter one would leave the CPU to this timer alone */

static unsigned shift_of(const struct lapic *l)
{
    unsigned code = (l->timer_divide & 3) | (l->timer_divide >> 1 & 4);

    return (code + 1) & 7; /* codes 0 to 6 divide by 2 to 128, 7 by 1 */
}

static uint64_t period_of(const struct lapic *l)
{
    return (uint64_t)l->timer_initial << shift_of(l);
}

uint32_t lapic_timer_current(const struct lapic *l)
{
    uint64_t gone = clock_now() - l->timer_started;
    uint64_t period = period_of(l);

    if (period == 0 || (gone >= period && !(l->lvt[0] & LVT_PERIODIC)))
        return 0;
    return (uint32_t)((period - gone % period) >> shift_of(l));
}

void lapic_timer_start(struct vcpu *v)
{
    struct lapic *l = &v->lapic;

    timer_stop(&l->timer);
    if (l->timer_initial == 0)
        return;
    l->timer_started = clock_now();
    timer_arm(&l->timer, l->timer_started + period_of(l));
}

void lapic_timer_fire(struct vcpu *v)
{
    struct lapic *l = &v->lapic;
    uint64_t now = clock_now();
    uint64_t period = period_of(l), next;

    if (!(l->lvt[0] & APIC_MASKED))
        lapic_raise(v, (uint8_t)l->lvt[0]);
    if (!(l->lvt[0] & LVT_PERIODIC) || period == 0)
        return;
    /* Periods that passed unseen are skipped: the guest gets one interrupt for them. */
    l->timer_started += period * ((now - l->timer_started) / period);
    next = l->timer_started + period;
    timer_arm(&l->timer, next < now + PERIOD_MIN ? now + PERIOD_MIN : next);
}
