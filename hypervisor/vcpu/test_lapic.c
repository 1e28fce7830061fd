/* The local APIC: priorities, end of interrupt, who a message is meant for, the timer. */
#include "vcpu/lapic.h"

#include <string.h>

#include <abi/layout.h>

#include <arch/clock.h>

#include "check.h"
#include "domain/domain.h"
#include "sched/sched.h"
#include "vcpu/vcpu.h"

/* ---- what the APIC needs of the core ---- */

static uint64_t now;
static unsigned wakes, starts;

uint64_t clock_now(void)
{
    return now;
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
    timer->deadline = deadline;
    timer->armed = true;
}

void timer_stop(struct timer *timer)
{
    timer->armed = false;
}

void sched_wake(struct vcpu *v)
{
    (void)v;
    wakes++;
}

void sched_start(struct vcpu *v)
{
    (void)v;
    starts++;
}

static struct domain d;
static struct vcpu v;

static void setup(bool x2apic)
{
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    d.vcpu[0] = &v;
    d.vcpu_count = 1;
    v.domain = &d;
    lapic_reset(&v);
    if (!x2apic) { /* by way of "disabled" */
        EXPECT(lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE));
        EXPECT(lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE | 0x800));
        v.lapic.ldr = 0;
    }
    EXPECT(lapic_write(&v, 0xf0, 0x1ff));
    wakes = starts = 0;
    now = 1000;
}

static uint32_t get(uint32_t offset)
{
    uint32_t value = 0xdead;

    EXPECT(lapic_read(&v, offset, &value));
    return value;
}

TEST(the_highest_priority_goes_first)
{
    setup(false);
    lapic_raise(&v, 0x31);
    lapic_raise(&v, 0x52);
    lapic_raise(&v, 0x51);
    EXPECT(wakes == 3 && lapic_has_work(&v));
    EXPECT(lapic_pending(&v) == 0x52);
    lapic_accept(&v, 0x52);
    EXPECT(lapic_pending(&v) == -1); /* 0x51 is of the same class */
    EXPECT(get(0xa0) == 0x50);
    EXPECT(lapic_write(&v, 0xb0, 0));
    EXPECT(lapic_pending(&v) == 0x51);
    lapic_accept(&v, 0x51);
    EXPECT(lapic_write(&v, 0xb0, 0));
    lapic_accept(&v, 0x31);
    EXPECT(!v.lapic.maybe && lapic_pending(&v) == -1);
    EXPECT(lapic_write(&v, 0xb0, 0));
    EXPECT(lapic_write(&v, 0xb0, 0)); /* one too many does nothing */
}

TEST(the_task_priority_holds_back)
{
    setup(false);
    EXPECT(lapic_write(&v, 0x80, 0x60));
    lapic_raise(&v, 0x61);
    EXPECT(lapic_pending(&v) == -1 && lapic_blocked(&v) == 6);
    EXPECT(lapic_write(&v, 0x80, 0x50));
    EXPECT(lapic_pending(&v) == 0x61);
}

TEST(switched_off_or_reserved_takes_nothing)
{
    setup(false);
    lapic_raise(&v, 15);
    EXPECT(lapic_write(&v, 0xf0, 0xff));
    lapic_raise(&v, 0x40);
    EXPECT(wakes == 0 && !lapic_has_work(&v));
    EXPECT(get(0x320) & 1u << 16); /* and its local vectors are masked */
}

TEST(messages_find_their_target)
{
    setup(false);
    lapic_msi(&d, LAYOUT_LAPIC_BASE, 0x41);
    EXPECT(lapic_pending(&v) == 0x41);
    lapic_msi(&d, LAYOUT_LAPIC_BASE | 1 << 12, 0x51); /* APIC 1: nobody */
    EXPECT(lapic_pending(&v) == 0x41);
    lapic_msi(&d, LAYOUT_LAPIC_BASE | 0xff << 12, 0x61); /* all */
    EXPECT(lapic_pending(&v) == 0x61);
    lapic_msi(&d, 0x12345000, 0x71); /* no message at all */
    EXPECT(lapic_pending(&v) == 0x61);
    EXPECT(lapic_write(&v, 0xd0, 0x02000000)); /* flat logical mode */
    lapic_msi(&d, LAYOUT_LAPIC_BASE | 2 << 12 | 4, 0x71);
    EXPECT(lapic_pending(&v) == 0x71);
    lapic_msi(&d, LAYOUT_LAPIC_BASE, 4 << 8);
    EXPECT(v.lapic.nmi_pending);
}

TEST(interprocessor_interrupts_in_both_modes)
{
    setup(true);
    EXPECT(!lapic_page_is_on(&v.lapic));
    EXPECT(lapic_msr_write(&v, 0x830, 0x44)); /* to APIC 0, physical */
    EXPECT(lapic_pending(&v) == 0x44);
    EXPECT(lapic_msr_write(&v, 0x83f, 0x45));
    EXPECT(lapic_pending(&v) == 0x45);
    EXPECT(lapic_msr_write(&v, 0x830, (uint64_t)1 << 32 | 0x99));
    EXPECT(lapic_pending(&v) == 0x45);
    EXPECT(!lapic_msr_write(&v, 0x80b, 1)); /* EOI takes 0 only */
    EXPECT(!lapic_msr_write(&v, 0x80d, 1) && !lapic_msr_write(&v, 0x80e, 0));

    setup(false);
    EXPECT(lapic_page_is_on(&v.lapic) && !lapic_msr_write(&v, 0x830, 0x44));
    EXPECT(lapic_write(&v, 0x310, 0) && lapic_write(&v, 0x300, 0x46));
    EXPECT(lapic_pending(&v) == 0x46);
    EXPECT(lapic_write(&v, 0x300, 3u << 18 | 0x47)); /* all but self */
    EXPECT(lapic_pending(&v) == 0x46);
}

TEST(start_up_of_a_second_cpu)
{
    setup(true);
    v.state = VCPU_DOWN;
    v.lapic.waits_for_sipi = true;
    lapic_msi(&d, LAYOUT_LAPIC_BASE, 6 << 8 | 0x9f);
    EXPECT(starts == 1 && v.lapic.sipi == (0x100 | 0x9f));
}

TEST(modes_change_by_the_rules)
{
    setup(false);
    EXPECT(lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE | 0xd00));
    EXPECT(!lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE | 0x900)); /* not straight back */
    EXPECT(lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE | 0x100));
    EXPECT(lapic_msr_write(&v, 0x1b, LAYOUT_LAPIC_BASE | 0x900));
    EXPECT(!lapic_msr_write(&v, 0x1b, 0xfed00000 | 0x900)); /* the page does not move */
}

TEST(timer_once_and_again)
{
    setup(false);
    EXPECT(lapic_write(&v, 0x320, 0x31));
    EXPECT(lapic_write(&v, 0x3e0, 0x3)); /* by 16 */
    EXPECT(lapic_write(&v, 0x380, 100));
    EXPECT(v.lapic.timer.armed && v.lapic.timer.deadline == 1000 + 1600);
    now = 1800;
    EXPECT(get(0x390) == 50);
    now = 2600;
    v.lapic.timer.armed = false;
    lapic_timer_fire(&v);
    EXPECT(lapic_pending(&v) == 0x31 && !v.lapic.timer.armed && get(0x390) == 0);

    EXPECT(lapic_write(&v, 0x320, 0x20031)); /* periodic; 3 periods are missed */
    EXPECT(lapic_write(&v, 0x380, 100000));
    now += 1600000 * 3 + 160000;
    lapic_timer_fire(&v);
    EXPECT(v.lapic.timer.armed && v.lapic.timer.deadline == 2600 + 1600000 * 4);
    EXPECT(get(0x390) == 90000);
    /* However short the period, it leaves the host time for others. */
    EXPECT(lapic_write(&v, 0x380, 1));
    lapic_timer_fire(&v);
    EXPECT(v.lapic.timer.armed && v.lapic.timer.deadline >= now + 100000);
    EXPECT(lapic_write(&v, 0x380, 0));
    EXPECT(!v.lapic.timer.armed);
}

TEST(every_offset_is_answered_or_refused)
{
    for (unsigned mode = 0; mode < 2; mode++) {
        setup(mode == 1);
        for (uint32_t offset = 0; offset < 0x1000; offset += 16) {
            uint32_t value;

            (void)lapic_read(&v, offset, &value);
            (void)lapic_write(&v, offset, UINT32_MAX);
        }
        for (uint32_t index = 0x800; index < 0x900; index++) {
            uint64_t value;

            (void)lapic_msr_read(&v, index, &value);
            (void)lapic_msr_write(&v, index, 0xffff);
        }
    }
}
