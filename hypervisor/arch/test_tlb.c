#include <arch/tlb.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/cpu.h>

#include "mm/p2m.h"

static struct p2m p2m;
static unsigned kicks, waits;

static void leave_guest(unsigned id)
{
    kicks++;
    EXPECT(p2m.flush_needed & 1ull << id);
    p2m.running &= ~(1ull << id);
}

TEST(nobody_runs_it)
{
    p2m = (struct p2m){0};
    kicks = 0;
    fake_on_kick = leave_guest;
    tlb_flush_p2m(&p2m);
    EXPECT(kicks == 0);
    EXPECT((p2m.flush_needed & 0xf) == 0xf);
}

TEST(every_cpu_that_runs_it_is_kicked_once)
{
    p2m = (struct p2m){.running = 1u << 1 | 1u << 3};
    kicks = 0;
    fake_on_kick = leave_guest;
    tlb_flush_p2m(&p2m);
    EXPECT(kicks == 2 && p2m.running == 0);
}

TEST(oneself_is_not_waited_for)
{
    p2m = (struct p2m){.running = 1u << 0};
    kicks = 0;
    fake_on_kick = leave_guest;
    tlb_flush_p2m(&p2m);
    EXPECT(kicks == 0);
}

/* The kicked CPU takes its time: it is waited for. */
static void leave_later(void)
{
    if (++waits == 5)
        p2m.running = 0;
}

TEST(a_slow_one_is_waited_for)
{
    p2m = (struct p2m){.running = 1u << 2};
    waits = 0;
    fake_on_relax = leave_later;
    tlb_flush_p2m(&p2m);
    EXPECT(waits == 5);
}

/* It left, and entered again with a flush: it is in the guest, but with nothing old. */
static void enter_again(unsigned id)
{
    p2m.flush_needed &= ~(1ull << id);
}

TEST(entered_again_is_good_enough)
{
    p2m = (struct p2m){.running = 1u << 2};
    fake_on_kick = enter_again;
    tlb_flush_p2m(&p2m);
    EXPECT(p2m.running == 1u << 2);
}

static void stop_reading(void)
{
    if (++waits == 3)
        cpu_by_id(1)->reading[1] = NULL;
    if (waits == 6)
        cpu_by_id(3)->reading[0] = NULL;
}

TEST(readers_are_waited_for)
{
    struct p2m other;

    p2m = (struct p2m){0};
    waits = 0;
    cpu_by_id(1)->reading[1] = &p2m;
    cpu_by_id(3)->reading[0] = &p2m;
    cpu_by_id(2)->reading[0] = &other;
    fake_on_relax = stop_reading;
    tlb_flush_p2m(&p2m);
    EXPECT(waits == 6);
    cpu_by_id(2)->reading[0] = NULL;
}
