/*
 * Stand-ins for scheduler, timers and virtual CPUs under real domains, for host
 * tests: they only keep what a domain's owner is to change.
 */
#include <arch/clock.h>
#include <arch/power.h>

#include "check.h"
#include "mm/heap.h"
#include "sched/sched.h"
#include "vcpu/vcpu.h"

struct vcpu *vcpu_create(struct domain *d, unsigned id)
{
    struct vcpu *v = heap_alloc(sizeof(*v));

    if (v) {
        v->domain = d;
        v->id = id;
    }
    return v;
}

void vcpu_destroy(struct vcpu *v)
{
    heap_free(v);
}

void vcpu_dump(const struct vcpu *v)
{
    (void)v;
}

void sched_pause(struct vcpu *v)
{
    v->pause_count++;
}

void sched_unpause(struct vcpu *v)
{
    EXPECT(v->pause_count > 0);
    v->pause_count--;
}

void sched_down(struct vcpu *v)
{
    v->state = VCPU_DOWN;
}

void sched_wake(struct vcpu *v)
{
    (void)v;
}

void timer_end(struct timer *timer)
{
    timer->armed = false;
}

void lapic_raise(struct vcpu *v, uint8_t vector)
{
    (void)v, (void)vector;
}

bool lapic_has_work(const struct vcpu *v)
{
    (void)v;
    return false;
}

uint64_t clock_boot_seconds(void)
{
    return 0;
}

const struct clock_scale *clock_scale(void)
{
    static const struct clock_scale scale = {.mul = 1};

    return &scale;
}

_Noreturn void power_reboot(void)
{
    power_off(1);
}
