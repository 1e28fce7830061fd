/* Who waits for the store brings it back if it hangs or dies, and sleeps no longer than it may. */
#include "rig.h"

#include <string.h>

#include <abi/life.h>
#include <check.h>
#include <rt/event.h>
#include <xen/sched.h>

#include "adopt.h"
#include "await.h"

#define STORE  14
#define PORT   7
#define DEATHS 8

/* The store's file would say 2000 ms: a look each second. */
#define HALF SECOND

static struct fake_domain *const d = &fake_domains[STORE];
static struct domain_config config;
static struct await a;
static unsigned sleeps;

/* What the store does while we sleep; the port that has an event then. */
static evtchn_port_t (*behave)(void);

evtchn_port_t event_wait_either(evtchn_port_t port, evtchn_port_t other, uint64_t deadline)
{
    evtchn_port_t got;

    EXPECT(port == PORT && other == DEATHS);
    EXPECT(deadline != EVENT_FOREVER && deadline > fake_now);
    sleeps++;
    d->cpu_ns += deadline - fake_now;
    fake_now = deadline;
    got = behave();
    return got;
}

static void begin_await(evtchn_port_t (*how)(void))
{
    struct entry *e = begin_service(&config, STORE);

    config.watchdog_ms = 2000;
    d->paired = true;
    d->ports = 1;
    ((struct life_page *)(void *)d->life)->port = 1;
    EXPECT(entry_open_watch(&s, e, 1) == 0);
    watch_begin(&e->watch, fake_now);
    a = (struct await){.supervise = &s, .entry = e, .deaths = DEATHS};
    behave = how;
    sleeps = 0;
    fake_said[0] = 0;
}

static evtchn_port_t answer(void)
{
    return PORT;
}

TEST(an_answer)
{
    begin_await(answer);
    EXPECT(await_store(&a, PORT, EVENT_FOREVER) && sleeps == 1 && !a.heard);
    EXPECT(d->sent == 0 && d->triggers == 0 && d->resets == 0);
    end();
}

/* It answers in its next life. */
static evtchn_port_t loop(void)
{
    if (d->resets > 0)
        return PORT;
    if (d->triggers == 0)
        return EVENT_NONE;
    fake_shutdown(STORE, SHUTDOWN_crash);
    return DEATHS;
}

TEST(one_that_hangs)
{
    uint64_t from;

    begin_await(loop);
    from = fake_now;
    EXPECT(await_store(&a, PORT, EVENT_FOREVER));
    EXPECT(d->sent == 1 && d->triggers == 1 && d->resets == 1 && d->bound && !d->paused);
    EXPECT(a.heard && fake_now - from <= 6 * HALF && fake_count_said("service: hung (id 14)") == 1);
    end();
}

static evtchn_port_t crash(void)
{
    if (d->resets > 0)
        return PORT;
    fake_shutdown(STORE, SHUTDOWN_crash);
    return DEATHS;
}

/* The waiter is in the middle of a look at the table, which knows nothing of the death yet. */
TEST(one_that_was_listed_alive)
{
    begin_await(crash);
    s.infos = adopt_list(&s.info_count);
    EXPECT(s.infos && await_store(&a, PORT, EVENT_FOREVER) && sleeps == 2);
    EXPECT(d->resets == 1 && d->triggers == 0);
    EXPECT(fake_count_said("service: crashed (id 14)") == 1);
    end();
}

/* Or that has seen to it already. */
TEST(one_that_was_listed_dead)
{
    begin_await(answer);
    fake_shutdown(STORE, SHUTDOWN_crash);
    s.infos = adopt_list(&s.info_count);
    EXPECT(s.infos && live_step(&s, a.entry) && d->resets == 1);
    EXPECT(await_store(&a, PORT, EVENT_FOREVER) && d->resets == 1);
    EXPECT(fake_count_said("service: crashed (id 14)") == 1);
    end();
}

/* Not even an NMI ends it. */
static evtchn_port_t loop_for_ever(void)
{
    return d->resets > 0 ? PORT : EVENT_NONE;
}

TEST(one_that_ignores_all)
{
    begin_await(loop_for_ever);
    EXPECT(await_store(&a, PORT, EVENT_FOREVER));
    EXPECT(d->triggers == 1 && d->resets == 1 && !d->paused && !a.heard);
    EXPECT(fake_count_said("service: hung (id 14)") == 1);
    end();
}

/* Long, but it counts: then there is no reason to end it. */
static evtchn_port_t work(void)
{
    ((struct life_page *)(void *)d->life)->beat++;
    return sleeps < 100 ? EVENT_NONE : PORT;
}

TEST(one_that_works)
{
    begin_await(work);
    EXPECT(await_store(&a, PORT, EVENT_FOREVER) && sleeps == 100);
    EXPECT(d->sent == 0 && d->triggers == 0 && d->resets == 0);
    end();
}

/* The waiter has its own deadline: it is kept while the store is looked at. */
TEST(a_deadline)
{
    uint64_t deadline;

    begin_await(loop_for_ever);
    deadline = fake_now + HALF / 2;
    EXPECT(!await_store(&a, PORT, deadline) && fake_now == deadline && sleeps == 1);
    deadline = a.entry->watch.due + HALF / 2;
    EXPECT(!await_store(&a, PORT, deadline) && fake_now == deadline && sleeps == 3);
    EXPECT(d->sent == 1 && d->triggers == 0 && d->resets == 0);
    end();
}

/* It dies in each life, later and later, and is given up in the end: so is the waiting. */
static evtchn_port_t die(void)
{
    if (a.entry->again == 0)
        fake_shutdown(STORE, SHUTDOWN_crash);
    return DEATHS;
}

TEST(one_that_dies_again_and_again)
{
    begin_await(die);
    EXPECT(!await_store(&a, PORT, EVENT_FOREVER));
    EXPECT(a.entry->parked && a.heard && d->resets == 11);
    EXPECT(fake_count_said("the host must be restarted") == 1);
    end();
}
