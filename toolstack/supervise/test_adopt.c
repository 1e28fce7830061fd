/*
 * The control domain dies, and its next life finds everything by looking: an empty
 * table becomes what the old one was, or what that was about to become.
 */
#include "adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <xen/sched.h>

#include "rig.h"

/* The last life's table and what it knew; s is the next one's. */
static struct supervise last;
static const struct entry *last_block, *last_guest;

static void die(void)
{
    fake_control_dies();
    fake_said[0] = 0;
    last = s;
    last_block = block_entry;
    last_guest = guest_entry;
    free(last.infos);
    s = (struct supervise){.store = last.store,
                           .root = last.root,
                           .store_domid = last.store_domid,
                           .console_domid = last.console_domid};
    block_entry = supervise_add(&s, &block);
    guest_entry = supervise_add(&s, &guest);
    EXPECT(block_entry && guest_entry);
}

/* As control/host.c does with a host.xml that starts both. */
static unsigned find(void)
{
    unsigned found = adopt_all(&s);

    for (size_t i = 0; i < s.count; i++)
        if (adopt_wants_start(&s, s.entries[i]))
            supervise_start(&s, s.entries[i]);
    return found;
}

static void end_both(void)
{
    supervise_fini(&last);
    end();
}

static bool is_same(const struct entry *e, const struct entry *old)
{
    bool same = e->phase == old->phase && e->domid == old->domid && e->ready == old->ready &&
                e->dead == old->dead && e->parked == old->parked && e->wanted == old->wanted &&
                e->config == old->config && strcmp(entry_image(e), entry_image(old)) == 0 &&
                e->watch.state == old->watch.state && e->watch.port == old->watch.port &&
                e->watch.half == old->watch.half;

    for (size_t i = 0; same && e->domid != DOMID_INVALID && i < config_served_count(e->config); i++)
        same = e->backends[i] == old->backends[i];
    return same;
}

static bool both_are_same(void)
{
    return is_same(block_entry, last_block) && is_same(guest_entry, last_guest);
}

TEST(those_that_run)
{
    begin_ours();
    die();
    EXPECT(find() == 2);
    EXPECT(supervise_step(&s) == UINT64_MAX && both_are_same() && fake_said[0] == 0);
    EXPECT(fake_domain_count() == 2 && fake_domains[1].resets == 0);
    /* And their deaths are ours to handle. */
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && fake_domains[1].resets == 1);
    fake_shutdown(2, SHUTDOWN_poweroff);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    end_both();
}

/* A port that the last life had is bound anew, and the dog barks. */
TEST(one_that_is_watched)
{
    block.watchdog_ms = 1000;
    begin_ours();
    die();
    EXPECT(find() == 2 && fake_domains[1].bound);
    supervise_step(&s);
    EXPECT(both_are_same() && block_entry->watch.state == WATCH_QUIET);
    for (unsigned looks = 0; looks < 4 && fake_domains[1].triggers == 0; looks++) {
        fake_now += SECOND;
        fake_domains[1].cpu_ns += SECOND;
        supervise_step(&s);
    }
    EXPECT(fake_domains[1].triggers == 1);
    block.watchdog_ms = 0;
    end_both();
}

/* Whoever died while nobody looked is dealt with as if it died now. */
TEST(deaths_that_nobody_saw)
{
    begin_ours();
    die();
    fake_shutdown(1, SHUTDOWN_crash);
    fake_shutdown(2, SHUTDOWN_reboot);
    EXPECT(find() == 2);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && fake_domains[1].resets == 1);
    EXPECT(guest_entry->phase == ENTRY_CLOSING && guest_entry->next == NEXT_RESTART);
    EXPECT(fake_count_said("block: crashed") == 1);
    end_both();
}

/* Built, but it has never run. */
TEST(one_that_was_being_opened)
{
    begin_ours();
    supervise_stop(&s, guest_entry, NEXT_STOP);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING && guest_entry->domid == 3);
    die();
    EXPECT(find() == 2 && guest_entry->phase == ENTRY_CLOSING);
    fake_node_set("/local/domain/1/backend/vbd/3/51712/state", "6");
    fake_now += SECOND;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING && guest_entry->domid == 4);
    EXPECT(!fake_domains[3].exists && !fake_node("/local/domain/3"));
    end_both();
}

static void stop_guest(void)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/local/domain/1/backend/vbd/%u/51712/state",
                   guest_entry->domid);
    supervise_stop(&s, guest_entry, NEXT_STOP);
    fake_node_set(path, "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED);
}

static void start_guest(void)
{
    supervise_start(&s, guest_entry);
    supervise_step(&s);
}

/* It dies at each call of a build: what is left of that goes, and the guest comes. */
TEST(one_that_was_half_built)
{
    for (unsigned n = 1;; n++) {
        begin_ours();
        stop_guest();
        if (!fake_die_in(start_guest, n)) {
            EXPECT(n > 30 && guest_entry->phase == ENTRY_OPENING);
            end();
            return;
        }
        die();
        EXPECT(find() >= 1);
        supervise_step(&s);
        fake_now += SECOND;
        supervise_step(&s);
        EXPECT(guest_entry->phase == ENTRY_OPENING && fake_domain_count() == 2);
        EXPECT(guest_entry->domid >= 3 && !fake_domains[guest_entry->domid - 1].introduced);
        end_both();
    }
}

static void renew_block(void)
{
    (void)renew_on_demand(&s, block_entry);
}

/* The same of a restart in place: in the end the domain runs, under its id. */
TEST(one_that_was_half_renewed)
{
    for (unsigned n = 1;; n++) {
        begin_ours();
        if (!fake_die_in(renew_block, n)) {
            EXPECT(n > 10);
            end();
            return;
        }
        die();
        EXPECT(find() == 2);
        supervise_step(&s);
        EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == 1 && !block_entry->dead);
        EXPECT(!fake_domains[1].paused && fake_domains[1].introduced);
        EXPECT(guest_entry->phase == ENTRY_LIVE && guest_entry->domid == 2);
        end_both();
    }
}

/* What was asked for before is done: one is not started again, one is. */
TEST(one_that_was_being_ended)
{
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        begin_ours();
        supervise_stop(&s, guest_entry, restarts ? NEXT_RESTART : NEXT_STOP);
        EXPECT(guest_entry->phase == ENTRY_CLOSING);
        die();
        EXPECT(find() == 2 && guest_entry->phase == ENTRY_CLOSING);
        fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
        fake_now += 2 * SECOND;
        supervise_step(&s);
        supervise_step(&s);
        EXPECT(!fake_domains[2].exists);
        EXPECT(guest_entry->phase == (restarts ? ENTRY_OPENING : ENTRY_STOPPED));
        end_both();
    }
}

TEST(those_that_are_stopped_stay_so)
{
    begin_ours();
    stop_guest();
    die();
    EXPECT(find() == 1 && supervise_step(&s) == UINT64_MAX && both_are_same());
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    /* Until somebody wants them. */
    start_guest();
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    end_both();
}

TEST(one_that_failed_is_not_tried_again)
{
    begin_ours();
    stop_guest();
    fake_fail_at(1);
    start_guest();
    EXPECT(guest_entry->phase == ENTRY_FAILED);
    die();
    EXPECT(find() == 1 && supervise_step(&s) == UINT64_MAX && both_are_same());
    end_both();
}

/* One that waited for its backend, or was never looked at, still waits. */
TEST(one_that_waited)
{
    begin_ours();
    stop_guest();
    fake_node_set("/local/domain/1/backend-ready", "0");
    block_entry->ready = false;
    start_guest();
    EXPECT(guest_entry->phase == ENTRY_WAITING);
    die();
    EXPECT(find() == 1);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_WAITING);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    end_both();
}

/* A guest that an operator has paused goes on being so; one that serves others runs. */
TEST(those_that_are_paused)
{
    begin_ours();
    EXPECT(domain_command(1, XEN_DOMCTL_pausedomain) == 0);
    EXPECT(domain_command(2, XEN_DOMCTL_pausedomain) == 0);
    die();
    EXPECT(find() == 2);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && fake_domains[2].paused);
    EXPECT(block_entry->phase == ENTRY_LIVE && !fake_domains[1].paused);
    end_both();
}

/* Its disk's domain is another one by now: the guest has not been served since. */
TEST(a_backend_that_was_begun_anew)
{
    begin_ours();
    supervise_stop(&s, block_entry, NEXT_STOP);
    supervise_step(&s);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/3/backend-ready", "1");
    supervise_step(&s);
    EXPECT(block_entry->domid == 3 && !backend_is_live(&s, guest_entry, 0));
    die();
    EXPECT(find() == 2);
    supervise_step(&s);
    EXPECT(both_are_same() && !backend_is_live(&s, guest_entry, 0));
    end_both();
}

/* An image that was on trial still is, and either stays or gives way to what was before. */
TEST(one_that_was_upgraded)
{
    static const char offer[] = "vbd feature-persistent=1\n";

    for (unsigned fails = 0; fails < 2; fails++) {
        begin_ours();
        fake_image("/block-2.elf", offer, 'B');
        EXPECT(upgrade(&s, block_entry, "/bulkhead/block-2.elf") && block_entry->trial);
        die();
        EXPECT(find() == 2 && block_entry->trial);
        EXPECT(strcmp(entry_image(block_entry), "/bulkhead/block-2.elf") == 0);
        if (fails)
            fake_shutdown(1, SHUTDOWN_crash);
        else
            fake_node_set("/local/domain/1/backend-ready", "1");
        supervise_step(&s);
        EXPECT(!block_entry->trial && block_entry->phase == ENTRY_LIVE);
        EXPECT(strcmp(entry_image(block_entry), fails ? block.kernel : "/bulkhead/block-2.elf") ==
               0);
        supervise_fini(&last);
        die();
        EXPECT(find() == 2 && !block_entry->trial);
        EXPECT(strcmp(entry_image(block_entry), entry_image(last_block)) == 0);
        end_both();
    }
}

/* The end of what the file says lets its upgrade be forgotten. */
TEST(an_upgrade_ends_with_its_domain)
{
    begin_ours();
    fake_image("/block-2.elf", "vbd feature-persistent=1\n", 'B');
    EXPECT(upgrade(&s, block_entry, "/bulkhead/block-2.elf"));
    supervise_stop(&s, block_entry, NEXT_STOP);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED);
    die();
    EXPECT(find() == 1 && block_entry->phase == ENTRY_STOPPED && !block_entry->image);
    end_both();
}

/* Dead, and kept to be looked at: it still is. */
TEST(one_that_is_preserved)
{
    begin_ours();
    guest.on_crash = CONFIG_PRESERVE;
    fake_shutdown(2, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->dead);
    die();
    EXPECT(find() == 2);
    supervise_step(&s);
    EXPECT(both_are_same() && guest_entry->dead && fake_domains[2].exists);
    end_both();
}

/* One that died too often has another try. */
TEST(one_that_was_parked)
{
    begin_ours();
    block.has_restart = true;
    block.restart = (struct config_restart){.budget = 1, .per_s = 10};
    for (unsigned lives = 0; lives < 2; lives++) {
        fake_shutdown(1, SHUTDOWN_crash);
        supervise_step(&s);
    }
    EXPECT(block_entry->parked && fake_domains[1].paused);
    die();
    EXPECT(find() == 2);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && !block_entry->parked && !fake_domains[1].paused);
    EXPECT(guest_entry->phase == ENTRY_LIVE);
    block.has_restart = false;
    end_both();
}

TEST(a_stranger)
{
    begin_ours();
    fake_domains[5] = (struct fake_domain){.exists = true, .handle = "nobody's"};
    die();
    EXPECT(find() == 3 && fake_count_said("domain 5 is there, but no file") == 1);
    EXPECT(supervise_step(&s) == UINT64_MAX && both_are_same() && fake_domains[5].exists);
    end_both();
}
