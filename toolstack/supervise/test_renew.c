/* Driver domains of ours that come back in place. */
#include "rig.h"

#include <string.h>

#include <check.h>
#include <xen/sched.h>

#define LIVES_MAX 100u

static char image[] = "/bulkhead/block.elf";

/* As begin_running, with a block domain of ours that is to be started again. */
static void begin_ours(void)
{
    static struct config_root root;

    begin();
    root = (struct config_root){fake_root.prefix, fake_root.prefix};
    s.root = &root;
    block.kernel = image;
    block.on_crash = CONFIG_RESTART;
    fake_file("/block.elf", NULL, 0);
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && block_entry->phase == ENTRY_LIVE);
    fake_said[0] = 0;
}

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

/* What is as it should be is not written again. */
TEST(only_what_is_wrong_is_written)
{
    struct fake_domain *d = &fake_domains[1];
    uint64_t first, second;

    begin_ours();
    for (unsigned life = 0; life < 2; life++) {
        first = d->written;
        fake_shutdown(1, SHUTDOWN_crash);
        supervise_step(&s);
    }
    second = d->written;
    d->ram[d->start.entry] ^= 1;
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(d->resets == 3 && d->written - second > second - first);
    end();
}

/* One that dies at once again and again lies still; its guest keeps its device all the same. */
TEST(one_that_cannot_live)
{
    unsigned lives = 0;

    begin_ours();
    for (; lives < LIVES_MAX && !block_entry->dead; lives++) {
        fake_shutdown(1, SHUTDOWN_crash);
        supervise_step(&s);
    }
    EXPECT(lives == 11 && block_entry->dead && fake_domains[1].resets == 10);
    EXPECT(guest_entry->phase == ENTRY_LIVE);
    EXPECT(fake_count_said("block died 11 times in a row") == 1);
    end();
}

TEST(long_lives_are_forgiven)
{
    begin_ours();
    for (unsigned lives = 0; lives < LIVES_MAX; lives++) {
        fake_now += 2 * SECOND;
        fake_shutdown(1, SHUTDOWN_crash);
        supervise_step(&s);
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

/* A power-off is no crash: nothing comes back. */
TEST(an_orderly_end)
{
    begin_ours();
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && fake_domains[1].resets == 0);
    end();
}
