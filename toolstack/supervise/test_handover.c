/* A Linux driver domain is restarted, and its guests keep what it serves. */
#include "rig.h"

#include <string.h>

#include <check.h>
#include <xen/sched.h>

#define CONTROL "/local/domain/1/control/"
#define BACK    "/local/domain/1/backend/vbd/2/51712"
#define FRONT   "/local/domain/2/device/vbd/51712"

/* The driver domain offers to let go; the guest's disk is connected. */
static void begin_connected(void)
{
    begin_running();
    fake_node_set(CONTROL "feature-detach", "1");
    fake_node_set(BACK "/state", "4");
    fake_node_set(FRONT "/state", "4");
    fake_now += 5 * SECOND;
}

/* It is asked, and has let go. */
static void begin_free(void)
{
    begin_connected();
    EXPECT(handover_begin(&s, block_entry));
    supervise_step(&s);
    fake_node_set(CONTROL "detached", "1");
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_FREE);
}

TEST(a_guest_keeps_its_disk)
{
    begin_connected();
    EXPECT(handover_begin(&s, block_entry) && is_node(CONTROL "detach", "1"));
    EXPECT(supervise_step(&s) == block_entry->handover.limit && !fake_node(CONTROL "shutdown"));
    fake_node_set(CONTROL "detached", "1");
    supervise_step(&s);
    EXPECT(is_node(CONTROL "shutdown", "poweroff") && block_entry->phase == ENTRY_LIVE);
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == 1 && block_entry->lives == 2);
    EXPECT(fake_domains[1].exists && !fake_domains[1].paused && fake_domain_count() == 2);
    /* A new device for the backend; the guest's own nodes are as they were. */
    EXPECT(is_node(BACK "/state", "1") && is_node(BACK "/params", "/dev/nvme0n1"));
    EXPECT(is_node(BACK "/frontend", FRONT) && !fake_node(BACK "/hotplug-status"));
    EXPECT(is_node(FRONT "/state", "4") && guest_entry->phase == ENTRY_LIVE);
    EXPECT(fake_domains[2].pair_count == 2 && fake_domains[2].pairs[1] == 1);
    EXPECT(!strstr(fake_said, "is gone with") && !strstr(fake_said, "waited"));
    fake_now += 2 * SECOND;
    fake_node_set(BACK "/state", "4");
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_NONE && block_entry->ready);
    EXPECT(fake_count_said("block: restarted; its guests waited 2.0 s") == 1 && !s.failed);
    end();
}

/* A device that the guest has let go of is nothing to wait for, nor is a guest that has gone. */
TEST(only_what_is_used_comes_back)
{
    begin_free();
    fake_node_set(FRONT "/state", "6");
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_NONE && is_node(BACK "/state", "1"));
    end();

    begin_free();
    fake_shutdown(2, SHUTDOWN_poweroff);
    supervise_step(&s);
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == 1);
    EXPECT(block_entry->handover.state == HANDOVER_NONE && !fake_node(BACK "/state"));
    end();
}

TEST(what_is_refused_changes_nothing)
{
    begin_running();
    EXPECT(!handover_begin(&s, block_entry));
    EXPECT(fake_count_said("does not let go of its guests' devices; `destroy`") == 1);
    fake_node_set(CONTROL "feature-detach", "1");
    guest_entry->phase = ENTRY_OPENING;
    EXPECT(!handover_begin(&s, block_entry));
    EXPECT(fake_count_said("it is opening a guest's devices") == 1);
    guest_entry->phase = ENTRY_LIVE;
    EXPECT(!fake_node(CONTROL "detach") && block_entry->ready);
    EXPECT(handover_begin(&s, block_entry) && !handover_begin(&s, block_entry));
    EXPECT(fake_count_said("being restarted already") == 1);
    EXPECT(handover_is_for(&s, block_entry) && !handover_is_for(&s, guest_entry));
    end();
}

TEST(one_that_does_not_let_go_serves_on)
{
    begin_connected();
    EXPECT(handover_begin(&s, block_entry));
    fake_now = supervise_step(&s) - 1;
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_ASKED && is_node(CONTROL "detach", "1"));
    EXPECT(!block_entry->ready);
    fake_now++;
    supervise_step(&s);
    EXPECT(is_node(CONTROL "detach", "0") && block_entry->handover.state == HANDOVER_NONE);
    EXPECT(block_entry->ready && fake_count_said("block: not restarted: ") == 1);
    /* Its late answer is nobody's, nor is it the next question's. */
    fake_node_set(CONTROL "detached", "1");
    supervise_step(&s);
    EXPECT(handover_begin(&s, block_entry) && is_node(CONTROL "detach", "2"));
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && !fake_node(CONTROL "shutdown"));
    fake_node_set(CONTROL "detached", "2");
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_FREE && is_node(CONTROL "shutdown", "poweroff"));
    end();
}

/* What it had begun then is in nobody's hands. */
TEST(one_that_dies_before_it_lets_go)
{
    begin_connected();
    EXPECT(handover_begin(&s, block_entry));
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && !fake_node(BACK "/state"));
    EXPECT(fake_count_said("guest: its disk xvda is gone with block") == 1);
    end();
}

/* Whoever ends it meanwhile decides what it was: guests that it had let go of can go on. */
TEST(one_that_is_destroyed)
{
    for (int free = 0; free <= 1; free++) {
        if (free) {
            begin_free();
        } else {
            begin_connected();
            EXPECT(handover_begin(&s, block_entry));
        }
        supervise_stop(&s, block_entry, NEXT_STOP);
        supervise_step(&s);
        EXPECT(block_entry->phase == ENTRY_STOPPED && !fake_domains[1].exists);
        EXPECT((fake_count_said("is gone with block") == 0) == free);
        supervise_start(&s, block_entry);
        supervise_step(&s);
        EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == (free ? 1 : 3));
        EXPECT(block_entry->handover.state == (free ? HANDOVER_BACK : HANDOVER_NONE));
        EXPECT(is_node(BACK "/state", "1") == free);
        end();
    }
}

TEST(one_that_does_not_power_off)
{
    begin_free();
    fake_now = supervise_step(&s) - 1;
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->lives == 1);
    fake_now++;
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->lives == 2 && block_entry->domid == 1);
    EXPECT(is_node(BACK "/state", "1"));
    end();
}

/* Whatever fails in making the next life, another try finds the guest as it was. */
TEST(a_next_life_that_cannot_begin)
{
    bool failed = true;

    for (unsigned n = 1; failed; n++) {
        begin_free();
        fake_shutdown(1, SHUTDOWN_poweroff);
        fake_fail_at(n);
        supervise_step(&s);
        failed = fake_has_failed();
        if (failed && block_entry->phase == ENTRY_FAILED) {
            EXPECT(!fake_domains[1].exists && !fake_node(BACK "/state"));
            fake_fail_at(0);
            supervise_start(&s, block_entry);
            supervise_step(&s);
        }
        fake_fail_at(0);
        EXPECT(block_entry->phase == ENTRY_LIVE && block_entry->domid == 1);
        /* One that was begun and lost its nodes on the way was told of. */
        EXPECT(is_node(BACK "/state", "1") || strstr(fake_said, "is lost with the restart"));
        EXPECT(guest_entry->phase == ENTRY_LIVE && is_node(FRONT "/state", "4"));
        end();
    }
}

TEST(one_that_does_not_take_up_a_ring)
{
    begin_free();
    fake_shutdown(1, SHUTDOWN_poweroff);
    supervise_step(&s);
    fake_now = supervise_step(&s);
    supervise_step(&s);
    EXPECT(block_entry->handover.state == HANDOVER_NONE && block_entry->phase == ENTRY_LIVE);
    EXPECT(fake_count_said("guest: its disk xvda has not come back with block") == 1);
    end();
}
