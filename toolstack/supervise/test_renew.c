/* Driver domains of ours that come back in place. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <check.h>
#include <xen/sched.h>

#define LIVES_MAX 100u

/* The same domain, written anew; its guest keeps its disk. */
TEST(back_in_place)
{
    static uint8_t before[FAKE_RAM];
    struct fake_domain *d = &fake_domains[1];

    begin_ours();
    memcpy(before, d->ram, sizeof(before));
    fake_now += 5 * SECOND;
    d->ram[d->start.entry] ^= 1;
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == 1 && !block_entry->dead);
    EXPECT(d->resets == 1 && !d->paused && d->rights == block.rights && d->seed_count == 2);
    EXPECT(memcmp(d->ram, before, sizeof(before)) == 0);
    EXPECT(d->introduced && is_node("/local/domain/1/backend-ready", "0"));
    EXPECT(guest_entry->phase == ENTRY_LIVE && !strstr(fake_said, "is gone with"));
    EXPECT(fake_domain_count() == 2 && fake_count_said("started again in place (id 1)") == 1);
    end();
}

/* Dies, and lets the clock come to what supervise_step asked for. How long that was. */
static uint64_t die_and_wait(void)
{
    uint64_t deadline;

    fake_shutdown(1, SHUTDOWN_crash);
    deadline = supervise_step(&s);
    if (block_entry->again == 0)
        return 0;
    EXPECT(deadline == block_entry->again && !block_entry->dead && !block_entry->ready);
    uint64_t pause = deadline - fake_now;

    fake_now = deadline - 1;
    supervise_step(&s);
    EXPECT(block_entry->again == deadline);
    fake_now = deadline;
    supervise_step(&s);
    EXPECT(block_entry->again == 0);
    return pause;
}

/* What is as it should be is not written again. */
TEST(only_what_is_wrong_is_written)
{
    struct fake_domain *d = &fake_domains[1];
    uint64_t first, second;

    begin_ours();
    for (unsigned life = 0; life < 2; life++) {
        first = d->written;
        (void)die_and_wait();
    }
    second = d->written;
    d->ram[d->start.entry] ^= 1;
    (void)die_and_wait();
    EXPECT(d->resets == 3 && d->written - second > second - first);
    end();
}

/*
 * One that dies at once again and again comes back ever later and is parked at
 * last; its guest keeps its device all the same, and a word lets it try again.
 */
TEST(one_that_cannot_live)
{
    begin_ours();
    for (unsigned lives = 0; lives < 10; lives++)
        EXPECT(die_and_wait() == lives * 100 * MS && fake_domains[1].resets == lives + 1);
    fake_said[0] = 0;
    fake_shutdown(1, SHUTDOWN_crash);
    EXPECT(supervise_step(&s) == UINT64_MAX);
    EXPECT(block_entry->dead && block_entry->parked && fake_domains[1].resets == 11);
    EXPECT(guest_entry->phase == ENTRY_LIVE && !guest_entry->dead && fake_domain_count() == 2);
    EXPECT(!strstr(fake_said, "is gone with"));
    EXPECT(fake_count_said("block: parked after 10 restarts in 60 s: its guests keep") == 1);

    fake_now += 3600 * SECOND;
    supervise_step(&s);
    EXPECT(block_entry->parked);
    EXPECT(renew_on_demand(&s, block_entry) && !block_entry->dead && !block_entry->parked);
    for (unsigned lives = 0; lives < 10; lives++)
        EXPECT(die_and_wait() == lives * 100 * MS);
    EXPECT(fake_domains[1].resets == 22 && !block_entry->parked);
    end();
}

/* The file's numbers; the time slides: what is older than it counts no more. */
TEST(budget_of_the_file)
{
    begin_ours();
    block.has_restart = true;
    block.restart = (struct config_restart){.budget = 2, .per_s = 10, .backoff_ms = 500};
    EXPECT(die_and_wait() == 0);
    fake_now += 9 * SECOND;
    EXPECT(die_and_wait() == 500 * MS); /* at 9.5 s */
    fake_now += SECOND / 2;             /* 10 s: the first is forgotten */
    EXPECT(die_and_wait() == 500 * MS && fake_domains[1].resets == 3);
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->parked && fake_count_said("parked after 2 restarts in 10 s") == 1);
    block.has_restart = false;
    end();
}

/* What an operator asks for is no death: it counts for nothing, and forgives. */
TEST(restarts_by_word)
{
    begin_ours();
    EXPECT(die_and_wait() == 0 && die_and_wait() == 100 * MS);
    for (unsigned i = 0; i < LIVES_MAX; i++)
        EXPECT(renew_on_demand(&s, block_entry));
    EXPECT(die_and_wait() == 0);
    end();
}

/* Who is started while its backend lies between two lives waits for it. */
TEST(a_guest_waits_for_the_pause)
{
    begin_ours();
    supervise_stop(&s, guest_entry, NEXT_STOP);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED);
    fake_now += 3600 * SECOND;
    EXPECT(die_and_wait() == 0);
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->again != 0);
    supervise_start(&s, guest_entry);
    EXPECT(supervise_step(&s) == block_entry->again && guest_entry->phase == ENTRY_WAITING);
    fake_now = block_entry->again;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_WAITING && block_entry->phase == ENTRY_LIVE);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    end();
}

/* One that is parked can be ended; then its guests are told. */
TEST(the_end_of_a_parked_one)
{
    begin_ours();
    block.has_restart = true;
    block.restart = (struct config_restart){.budget = 1, .per_s = 10};
    EXPECT(die_and_wait() == 0);
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->parked);
    supervise_stop(&s, block_entry, NEXT_STOP);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && !block_entry->parked && !fake_domains[1].exists);
    EXPECT(fake_count_said("guest: its disk xvda is gone with block") == 1);
    block.has_restart = false;
    end();
}

/* A host that goes down still needs its disks: they come back, guests do not. */
TEST(a_death_while_the_host_goes_down)
{
    begin_ours();
    s.leaving = true;
    EXPECT(die_and_wait() == 0 && fake_domains[1].resets == 1);
    end();
}

TEST(long_lives_are_forgiven)
{
    begin_ours();
    for (unsigned lives = 0; lives < LIVES_MAX; lives++) {
        fake_now += 61 * SECOND;
        EXPECT(die_and_wait() == 0);
    }
    EXPECT(!block_entry->dead && fake_domains[1].resets == LIVES_MAX);
    end();
}

/* At every step that can fail, what is left lies still and can be destroyed. */
TEST(a_return_that_fails)
{
    for (unsigned n = 1;; n++) {
        begin_ours();
        fake_now += 5 * SECOND;
        fake_shutdown(1, SHUTDOWN_crash);
        fake_fail_at(n);
        supervise_step(&s);
        if (!fake_has_failed()) {
            EXPECT(n > 10 && !block_entry->dead);
            end();
            return;
        }
        EXPECT(block_entry->dead && guest_entry->phase == ENTRY_LIVE && fake_said[0] != 0);
        supervise_stop(&s, block_entry, NEXT_STOP);
        supervise_step(&s);
        EXPECT(block_entry->phase == ENTRY_STOPPED && !fake_domains[1].exists);
        end();
    }
}

/* Pages that the last life gave back are there again, wherever they were, and no others come. */
TEST(memory_that_was_given_back)
{
    static const uint64_t holes[] = {0x200000,
                                     0x345000,
                                     (8u << 20) - PAGE_SIZE,
                                     LAYOUT_ACPI_BASE,
                                     LAYOUT_SURVIVOR_BASE + PAGE_SIZE,
                                     LAYOUT_STORE_PAGE};
    struct fake_domain *d = &fake_domains[1];

    begin_ours();
    for (unsigned i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
        uint64_t frames = d->frames--;

        d->hole = holes[i];
        fake_now += 100 * SECOND;
        fake_shutdown(1, SHUTDOWN_crash);
        supervise_step(&s);
        EXPECT(d->hole == 0 && d->frames == frames && d->resets == i + 1);
        EXPECT(!block_entry->parked && fake_count_said("started again in place") == 1);
    }
    /* The host has none left for it. */
    d->hole = 0x345000;
    d->frames--;
    d->max_kib = 0;
    fake_now += 100 * SECOND;
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->parked && fake_count_said("the host has not enough memory left") == 1);
    end();
}

/* The console keeps its id, and connects to the store anew. */
TEST(a_service_in_place)
{
    struct domain_config config;
    struct entry *e = begin_service(&config, 15);
    const struct fake_domain *d = &fake_domains[15];

    fake_shutdown(15, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(e->phase == ENTRY_LIVE && e->domid == 15 && !e->dead && e->ready);
    EXPECT(d->resets == 1 && !d->paused && d->introduced && d->seed_count == 1);
    EXPECT(fake_count_said("started again in place (id 15)") == 1);
    end();
}

/* The store has no store to be told to, and no end of it is an orderly one. */
TEST(the_store_in_place)
{
    struct domain_config config;
    struct entry *e = begin_service(&config, 14);
    const struct fake_domain *d = &fake_domains[14];

    fake_shutdown(14, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(e->phase == ENTRY_LIVE && !e->dead && e->ready && d->resets == 1 && !d->paused);
    EXPECT(!d->introduced && d->seed_count == 0 && !is_node("/local/domain/14/backend-ready", "0"));
    for (unsigned lives = 0; lives < LIVES_MAX && !e->dead; lives++) {
        fake_shutdown(14, SHUTDOWN_crash);
        supervise_step(&s);
        fake_now += 2 * SECOND;
        supervise_step(&s);
    }
    EXPECT(e->dead && fake_count_said("the host must be restarted") == 1);
    end();
}

/* A power-off is no crash: nothing comes back. */
TEST(an_orderly_end)
{
    begin_ours();
    ((struct life_page *)(void *)fake_domains[1].life)->end.kind = LIFE_ORDERLY;
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && fake_domains[1].resets == 0);
    end();
}
