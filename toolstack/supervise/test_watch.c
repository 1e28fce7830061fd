/* A driver domain of ours that hangs is noticed; one that works, sleeps, is paused or starved is
 * not. */
#include "rig.h"

#include <string.h>

#include <abi/life.h>
#include <check.h>
#include <xen/sched.h>

/* The file says 2000 ms: a look each second. */
#define HALF SECOND

static struct fake_domain *const d = &fake_domains[1];

static void begin_watched(void)
{
    block.watchdog_ms = 2000;
    begin_ours();
    EXPECT(d->paired && d->bound && block_entry->watch.state == WATCH_QUIET);
}

static void end_watched(void)
{
    block.watchdog_ms = 0;
    end();
}

static void beat(void)
{
    ((struct life_page *)(void *)d->life)->beat++;
}

/* Lets the clock come to the next look. It ran so long of that time; blocked: it sleeps now. */
static void pass(uint64_t ran, bool blocked)
{
    uint64_t due = block_entry->watch.due;

    fake_now = due - 1;
    EXPECT(supervise_step(&s) == due);
    d->cpu_ns += ran;
    d->flags = blocked ? XEN_DOMINF_blocked : 0;
    fake_now = due;
    supervise_step(&s);
}

/* Busy: it counts all the time, is never asked. */
TEST(one_that_works)
{
    begin_watched();
    for (unsigned i = 0; i < 100; i++) {
        beat();
        pass(HALF, false);
    }
    EXPECT(d->sent == 0 && d->triggers == 0 && d->resets == 0);
    end_watched();
}

/* Idle: it counts when it is asked, in every second time. */
TEST(one_that_sleeps)
{
    begin_watched();
    for (unsigned i = 0; i < 100; i++) {
        unsigned sent = d->sent;

        pass(0, true);
        if (d->sent != sent)
            beat();
    }
    EXPECT(d->sent == 50 && d->triggers == 0 && d->resets == 0);
    end_watched();
}

/* It gets an NMI after it was asked and had its time, and comes back when it has died of that. */
static void expect_hang(uint64_t ran, bool blocked)
{
    uint64_t from;

    begin_watched();
    beat();
    pass(HALF, false);
    from = fake_now;
    pass(ran, blocked);
    EXPECT(d->sent == 1 && d->triggers == 0);
    pass(ran, blocked);
    EXPECT(d->triggers == 1 && d->resets == 0 && fake_now - from == 2 * HALF);
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(d->resets == 1 && d->bound && block_entry->watch.state == WATCH_QUIET);
    EXPECT(guest_entry->phase == ENTRY_LIVE && fake_count_said("block: hung (id 1)") == 1);
    beat();
    pass(HALF, false);
    EXPECT(d->triggers == 1 && block_entry->watch.state == WATCH_QUIET);
    end_watched();
}

TEST(one_that_spins)
{
    expect_hang(HALF, false);
}

/* It waits for something else than its events. */
TEST(one_that_waits_for_its_device)
{
    expect_hang(0, true);
}

/* Not even an NMI is taken: it is stopped and started again all the same. */
TEST(one_that_ignores_all)
{
    begin_watched();
    for (unsigned i = 0; i < 2; i++)
        pass(HALF, false);
    EXPECT(d->triggers == 1 && d->resets == 0 && block_entry->watch.state == WATCH_STRUCK);
    pass(HALF, false);
    EXPECT(d->resets == 1 && !d->paused && block_entry->watch.state == WATCH_QUIET);
    EXPECT(fake_count_said("block: hung (id 1)") == 1);
    end_watched();
}

/* If it is not to be restarted it stops at least. */
TEST(one_that_is_preserved)
{
    begin_watched();
    block.on_crash = CONFIG_PRESERVE;
    for (unsigned i = 0; i < 3; i++)
        pass(HALF, false);
    EXPECT(d->resets == 0 && d->paused && block_entry->dead && !block_entry->parked);
    EXPECT(supervise_step(&s) == UINT64_MAX);
    end_watched();
}

/* Paused time does not count, however long; nor what was asked before. */
TEST(one_that_is_paused)
{
    begin_watched();
    pass(HALF, false);
    EXPECT(d->sent == 1);
    d->paused = true;
    for (unsigned i = 0; i < 100; i++)
        pass(0, false);
    d->paused = false;
    EXPECT(d->triggers == 0 && d->sent == 1);
    pass(HALF, false);
    EXPECT(d->sent == 2 && d->triggers == 0);
    beat();
    pass(HALF, false);
    EXPECT(d->triggers == 0 && block_entry->watch.state == WATCH_QUIET);
    end_watched();
}

/* Guests have the CPU: only what it runs itself counts, until it has had its time. */
TEST(one_that_is_starved)
{
    begin_watched();
    pass(0, false);
    EXPECT(d->sent == 1);
    for (unsigned i = 0; i < 100; i++)
        pass(HALF / 200, false);
    EXPECT(d->triggers == 0);
    for (unsigned i = 0; i < 50; i++)
        pass(HALF / 200, false);
    EXPECT(d->triggers == 1);
    end_watched();
}

/* The control domain itself is late: one look stands for all that it missed. */
TEST(a_late_look)
{
    begin_watched();
    beat();
    fake_now += 3600 * SECOND;
    EXPECT(supervise_step(&s) == fake_now + HALF);
    EXPECT(d->sent == 0 && d->triggers == 0);
    end_watched();
}

/* Nobody asked for it: no port, no deadline, no look. */
TEST(one_that_is_not_watched)
{
    begin_ours();
    EXPECT(!d->paired && !d->bound && supervise_step(&s) == UINT64_MAX);
    fake_now += 3600 * SECOND;
    EXPECT(supervise_step(&s) == UINT64_MAX && d->sent == 0);
    end();
}

/* While it lies between two lives, and when it is parked, there is nothing to watch. */
TEST(dead_ones_are_not_watched)
{
    begin_watched();
    block.has_restart = true;
    block.restart = (struct config_restart){.budget = 2, .per_s = 100, .backoff_ms = 10000};
    for (unsigned i = 0; i < 3; i++)
        pass(HALF, false);
    EXPECT(d->resets == 1);
    for (unsigned i = 0; i < 3; i++)
        pass(HALF, false);
    EXPECT(block_entry->again != 0 && d->paused && d->resets == 1);
    EXPECT(supervise_step(&s) == block_entry->again);
    fake_now = block_entry->again;
    supervise_step(&s);
    EXPECT(d->resets == 2 && !d->paused && d->bound);
    for (unsigned i = 0; i < 3; i++)
        pass(HALF, false);
    EXPECT(block_entry->parked && d->paused && !d->bound && supervise_step(&s) == UINT64_MAX);
    block.has_restart = false;
    end_watched();
}
