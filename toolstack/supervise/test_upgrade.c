/* A driver domain that goes on with another image: refused, taken over, taken back. */
#include "rig.h"

#include <string.h>

#include <check.h>
#include <xen/sched.h>

#define ALL                                                                                        \
    "vbd feature-persistent=1\nvbd feature-max-indirect-segments=64u\n"                            \
    "vbd multi-queue-max-queues=4u\nvbd max-ring-page-order=4u\n"
#define BACK  "/local/domain/1/backend/vbd/2/51712"
#define FRONT "/local/domain/2/device/vbd/51712"

/* The guest is connected, with two queues; what it uses stands in the store. */
static void begin_connected(void)
{
    begin_ours();
    fake_node_set(BACK "/state", "4");
    fake_node_set(BACK "/feature-max-indirect-segments", "32");
    fake_node_set(FRONT "/multi-queue-num-queues", "2");
    fake_node_set(FRONT "/feature-persistent", "1");
}

static char mark(void)
{
    return (char)fake_domains[1].ram[0x200000];
}

TEST(another_image_takes_over)
{
    begin_connected();
    fake_image("/new.elf", ALL, 'N');
    EXPECT(upgrade(&s, block_entry, "/new.elf"));
    EXPECT(mark() == 'N' && fake_domains[1].resets == 1 && block_entry->domid == 1);
    EXPECT(is_node("/local/domain/1/backend-ready", "0") && block_entry->trial != 0);
    EXPECT(supervise_step(&s) == block_entry->trial);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(block_entry->trial == 0 && fake_count_said("upgraded to /new.elf") == 1);
    /* Later deaths are those of the new image. */
    fake_now += 5 * SECOND;
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(mark() == 'N' && fake_domains[1].resets == 2);
    end();
}

TEST(what_is_refused_changes_nothing)
{
    static const char *const lacking[] = {
        "vbd feature-persistent=1\nvbd feature-max-indirect-segments=64\n"
        "vbd multi-queue-max-queues=1\n",
        "vbd feature-persistent=0\nvbd feature-max-indirect-segments=64\n"
        "vbd multi-queue-max-queues=4\n",
        "vbd feature-persistent=1\nvbd feature-max-indirect-segments=16\n"
        "vbd multi-queue-max-queues=4\n",
        "vif multi-queue-max-queues=4\n",
    };

    begin_connected();
    for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
        char path[] = "/lacking0.elf";

        path[8] = (char)('0' + i);
        fake_image(path, lacking[i], 'L');
        EXPECT(!upgrade(&s, block_entry, path));
    }
    EXPECT(strstr(fake_said, "has feature-max-indirect-segments 16, but guest uses 32"));
    EXPECT(fake_count_said("has multi-queue-max-queues 1, but guest uses 2 for its disk xvda") ==
           1);
    EXPECT(!upgrade(&s, block_entry, "/vmlinux"));
    EXPECT(fake_count_said("/vmlinux is no driver domain's") == 1);
    EXPECT(!upgrade(&s, block_entry, "/initrd") && !upgrade(&s, block_entry, "/nowhere"));
    EXPECT(fake_count_said("/nowhere is not in the bundle") == 1);
    EXPECT(fake_domains[1].resets == 0 && !block_entry->image && block_entry->ready);
    end();
}

/* Of who is not connected nobody knows what it will use. */
TEST(only_who_is_connected_counts)
{
    begin_connected();
    fake_node_set(BACK "/state", "2");
    fake_image("/less.elf", "vbd multi-queue-max-queues=1\n", 'L');
    EXPECT(upgrade(&s, block_entry, "/less.elf"));
    end();
}

TEST(one_that_dies_before_it_is_up_is_taken_back)
{
    begin_connected();
    fake_image("/new.elf", ALL, 'N');
    EXPECT(upgrade(&s, block_entry, "/new.elf"));
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(mark() != 'N' && fake_domains[1].resets == 2 && !block_entry->image);
    EXPECT(block_entry->phase == ENTRY_LIVE && !block_entry->dead && block_entry->trial == 0);
    EXPECT(fake_count_said("the life of /new.elf crashed before it was up: back to") == 1);
    end();
}

/* Else the one on trial would be what there is to go back to. */
TEST(one_at_a_time)
{
    begin_connected();
    fake_image("/new.elf", ALL, 'N');
    fake_image("/next.elf", ALL, 'X');
    EXPECT(upgrade(&s, block_entry, "/new.elf"));
    EXPECT(!upgrade(&s, block_entry, "/next.elf") && mark() == 'N');
    EXPECT(fake_count_said("the last upgrade is not up yet") == 1);
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(mark() != 'N' && mark() != 'X' && block_entry->trial == 0);
    EXPECT(upgrade(&s, block_entry, "/next.elf") && mark() == 'X');
    end();
}

TEST(one_that_never_is_up_is_taken_back)
{
    begin_connected();
    fake_image("/new.elf", ALL, 'N');
    EXPECT(upgrade(&s, block_entry, "/new.elf"));
    fake_now = block_entry->trial;
    supervise_step(&s);
    EXPECT(mark() != 'N' && fake_domains[1].resets == 2 && !block_entry->dead);
    EXPECT(fake_count_said("took too long before it was up") == 1);
    end();
}

/* Who is destroyed and started again begins with its file's kernel. */
TEST(a_start_is_from_the_file)
{
    begin_connected();
    fake_image("/new.elf", ALL, 'N');
    EXPECT(upgrade(&s, block_entry, "/new.elf"));
    supervise_stop(&s, block_entry, NEXT_STOP);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && !block_entry->image && block_entry->trial == 0);
    end();
}

/* Whichever call fails on the way: it lives, or is parked, and nothing is lost. */
TEST(any_call_may_fail)
{
    for (unsigned n = 1;; n++) {
        bool done;

        begin_connected();
        fake_image("/new.elf", ALL, 'N');
        fake_fail_at(n);
        done = upgrade(&s, block_entry, "/new.elf");
        EXPECT(block_entry->domid == 1 && guest_entry->phase == ENTRY_LIVE);
        EXPECT(block_entry->phase == ENTRY_LIVE && (done || !block_entry->trial));
        bool failed = fake_has_failed();
        end();
        if (!failed)
            break;
        EXPECT(n < 200);
    }
}
