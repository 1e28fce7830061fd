/* Block devices as the store tells of them: a store of a table, a guest, a RAM disk. */
#include "vbd.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fake_store.h"
#include "played.h"
#include "rig.h"

#define BACK  "backend/vbd/2/51712"
#define FRONT "/local/domain/2/device/vbd/51712"

int irq_alloc(uint64_t *address, uint32_t *data)
{
    *address = *data = 0;
    return -XEN_ENOSPC;
}

/* ---- the pieces put together -------------------------------------------------------------- */

static struct {
    struct disk disk; /* its driver is the RAM disk's, over the same bytes */
    struct rig rig;
    struct disks disks;
    struct vbds vbds;
    struct store_client store;
} t;

static void fire(const char *path)
{
    (void)fake_enter(RIG_BACK);
    fake_store_fire(&t.vbds.bus, path);
}

static void device_add(const char *params, const char *mode)
{
    node_set(BACK "/params", params);
    node_set(BACK "/mode", mode);
    node_set(BACK "/frontend", FRONT);
    node_set(BACK "/online", "1");
    node_set(BACK "/state", "1");
    node_set(FRONT "/state", "1");
}

static void begin(void)
{
    fake_store_reset();
    rig_init(&t.rig, 1, 0);
    rig_fill_disk(&t.rig);
    t.disks = (struct disks){.count = 1, .disks = {&t.disk}};
    (void)fake_enter(RIG_BACK);
    EXPECT(vbds_open(&t.vbds, &t.store, &t.disks) == 0);
    EXPECT(bus_back_watch(&t.vbds.bus) == 0);
}

/* What names mean needs a struct disk; what is served goes to the RAM disk. */
static void disk_make(void)
{
    memset(&t.disk, 0, sizeof(t.disk));
    t.disk.blk = t.rig.ram.disk;
    (void)snprintf(t.disk.name, sizeof(t.disk.name), "nvme0n1");
    t.disk.part = "p";
    t.disk.gpt.state = GPT_OK;
    t.disk.gpt.count = 2;
    t.disk.gpt.partitions[0] =
        (struct gpt_partition){.number = 1, .first = 64, .last = 1063, .label = "root"};
    t.disk.gpt.partitions[1] =
        (struct gpt_partition){.number = 2, .broken = true, .first = 1, .last = 0, .label = "bad"};
}

static void front_nodes(void)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", t.rig.link.queues[0].refs[0]);
    node_set(FRONT "/ring-ref", text);
    (void)snprintf(text, sizeof(text), "%u", t.rig.link.queues[0].port);
    node_set(FRONT "/event-channel", text);
    node_set(FRONT "/protocol", "x86_64-abi");
    node_set(FRONT "/feature-persistent", "1");
    node_set(FRONT "/state", "3");
}

static struct vbd *only(void)
{
    return &t.vbds.vbds[0];
}

/* The device's volume is put onto the RAM disk, which is what the back end will use. */
static void offered(void)
{
    begin();
    disk_make();
    device_add("/dev/nvme0n1p1", "w");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node(BACK "/state"), "2") == 0);
    only()->volume.disk = &t.rig.ram.disk;
}

static void connected(void)
{
    offered();
    front_nodes();
    fire(FRONT "/state");
    EXPECT(strcmp(node(BACK "/state"), "4") == 0);
}

static void gone(void)
{
    node_remove(BACK);
    fire(BACK);
    EXPECT(!only()->bus.used && fake_mappings(RIG_BACK) == 0 && fake_watches == 1);
}

TEST(offers_what_the_disk_has)
{
    offered();
    EXPECT(strcmp(node(BACK "/sectors"), "1000") == 0);
    EXPECT(strcmp(node(BACK "/sector-size"), "512") == 0);
    EXPECT(strcmp(node(BACK "/feature-persistent"), "1") == 0);
    EXPECT(strcmp(node(BACK "/feature-max-indirect-segments"), "64") == 0);
    EXPECT(strcmp(node(BACK "/feature-discard"), "1") == 0);
    EXPECT(strcmp(node(BACK "/info"), "0") == 0);
    gone();
}

TEST(read_only_use)
{
    begin();
    disk_make();
    device_add("/dev/disk/by-partlabel/root", "r");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/info"), "4") == 0);
    EXPECT(strcmp(node(BACK "/feature-discard"), "0") == 0);
    gone();
}

static void refused(const char *params, const char *why)
{
    begin();
    disk_make();
    device_add(params, "w");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/hotplug-status"), "error") == 0);
    EXPECT(strstr(node(BACK "/hotplug-error"), why) != NULL);
    EXPECT(strcmp(node(BACK "/state"), "1") == 0);
    node_set(BACK "/online", "0");
    node_set(BACK "/state", "5");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/state"), "6") == 0);
    gone();
}

TEST(names_that_mean_nothing)
{
    refused("/dev/sda", "there is no /dev/sda: this backend has /dev/nvme0n1 (2 MiB) "
                        "/dev/nvme0n1p1 \"root\"");
    refused("/dev/nvme0n1p3", "there is no /dev/nvme0n1p3");
    refused("/dev/nvme0n1p", "there is no");
    refused("/dev/nvme0n1p1x", "there is no");
    refused("/dev/nvme0n1p99999999999999999999", "there is no");
    refused("/dev/nvme0n1p2", "lies outside its disk");
    refused("/dev/disk/by-partlabel/none", "there is no /dev/disk/by-partlabel/none");
    refused("/dev/disk/by-partlabel/", "there is no");
    refused("", "there is no");
}

TEST(the_same_label_twice)
{
    begin();
    disk_make();
    (void)snprintf(t.disk.gpt.partitions[1].label, GPT_LABEL_LEN, "root");
    device_add("/dev/disk/by-partlabel/root", "w");
    fire(BACK);
    EXPECT(strstr(node(BACK "/hotplug-error"), "2 partitions have the label \"root\"") != NULL);
    gone();
}

TEST(two_writers_of_the_same_sectors)
{
    offered();
    only()->volume.disk = &t.disk.blk;
    node_set("backend/vbd/3/51712/params", "/dev/nvme0n1");
    node_set("backend/vbd/3/51712/mode", "r");
    node_set("backend/vbd/3/51712/frontend", "/local/domain/3/device/vbd/51712");
    node_set("backend/vbd/3/51712/state", "1");
    fire("backend/vbd/3/51712");
    EXPECT(strcmp(node("backend/vbd/3/51712/hotplug-error"),
                  "/dev/nvme0n1 is in use by domain 2") == 0);
    /* When the one goes and the other comes in one batch of events, it is free. */
    node_remove("backend/vbd/3");
    fire("backend/vbd/3/51712");
    node_remove(BACK);
    node_set("backend/vbd/4/51712/params", "/dev/nvme0n1");
    node_set("backend/vbd/4/51712/mode", "w");
    node_set("backend/vbd/4/51712/frontend", "/local/domain/4/device/vbd/51712");
    node_set("backend/vbd/4/51712/state", "1");
    only()->bus.changed = true;
    fire("backend/vbd/4/51712");
    EXPECT(strcmp(node("backend/vbd/4/51712/hotplug-status"), "connected") == 0);
}

TEST(connects_serves_closes_and_comes_back)
{
    connected();
    for (int again = 0; again < 2; again++) {
        struct blkif_request_segment s = {RIG_REF(0), 0, 7};
        struct blkif_response r;

        (void)fake_enter(RIG_GUEST);
        blk_front_transfer(&t.rig.front[0], 9, BLKIF_OP_READ, 16, &s, 1);
        blk_front_kick(&t.rig.front[0]);
        (void)fake_enter(RIG_BACK);
        for (int i = 0; i < 4; i++) {
            (void)ramdisk_poll(&t.rig.ram.disk);
            (void)vbds_serve(&t.vbds);
        }
        (void)fake_enter(RIG_GUEST);
        EXPECT(blk_front_answer(&t.rig.front[0], &r) == 1 && r.id == 9 && r.status == 0);
        EXPECT(memcmp(t.rig.data, ramdisk_bytes + (64 + 16) * 512ul, PAGE_SIZE) == 0);

        node_set(FRONT "/state", "5");
        fire(FRONT "/state");
        EXPECT(strcmp(node(BACK "/state"), "5") == 0);
        node_set(FRONT "/state", "6");
        fire(FRONT "/state");
        EXPECT(strcmp(node(BACK "/state"), "6") == 0 && fake_mappings(RIG_BACK) == 0);
        node_set(FRONT "/state", "1");
        fire(FRONT "/state");
        EXPECT(strcmp(node(BACK "/state"), "2") == 0);
        rig_make_guest(&t.rig, 1, 0);
        front_nodes();
        fire(FRONT "/state");
        EXPECT(strcmp(node(BACK "/state"), "4") == 0);
    }
    gone();
}

/* Its directory went and came before anybody looked: nothing of the last one counts. */
TEST(a_guest_made_anew_under_its_id)
{
    connected();
    node_set(FRONT "/state", "6");
    node_remove(BACK);
    device_add("/dev/nvme0n1p1", "r");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/hotplug-status"), "connected") == 0 && fake_mappings(RIG_BACK) == 0);
    EXPECT(strcmp(node(BACK "/state"), "2") == 0 && strcmp(node(BACK "/info"), "4") == 0);
    only()->volume.disk = &t.rig.ram.disk;
    rig_make_guest(&t.rig, 1, 0);
    front_nodes();
    fire(FRONT "/state");
    EXPECT(strcmp(node(BACK "/state"), "4") == 0);
    gone();
}

TEST(a_dead_guest_is_let_go_when_its_disk_is_quiet)
{
    struct blkif_request_segment s = {RIG_REF(0), 0, 7};

    connected();
    t.rig.ram.hold = true;
    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&t.rig.front[0], 9, BLKIF_OP_READ, 16, &s, 1);
    blk_front_kick(&t.rig.front[0]);
    (void)fake_enter(RIG_BACK);
    (void)vbds_serve(&t.vbds);
    EXPECT(t.rig.ram.submitted == 1);
    node_set(BACK "/online", "0");
    node_set(BACK "/state", "5");
    fire(BACK "/state");
    EXPECT(strcmp(node(BACK "/state"), "5") == 0);
    t.rig.ram.hold = false;
    (void)ramdisk_poll(&t.rig.ram.disk);
    (void)vbds_serve(&t.vbds);
    bus_back_settle(&t.vbds.bus);
    EXPECT(strcmp(node(BACK "/state"), "6") == 0 && fake_mappings(RIG_BACK) == 0);
    gone();
}

TEST(a_refused_device_goes_with_its_guest)
{
    begin();
    disk_make();
    device_add("/dev/nvme7n1", "w");
    fire(BACK);
    EXPECT(strcmp(node(BACK "/hotplug-status"), "error") == 0 && only()->bus.used);
    /* The toolstack removes the directory of all devices of the guest. */
    node_remove(BACK);
    fire("backend/vbd/2");
    EXPECT(!only()->bus.used);
}

TEST(dropped_events_cost_nothing)
{
    offered();
    node_set("backend/vbd/3/51728/params", "/dev/nvme7n1");
    node_set("backend/vbd/3/51728/mode", "w");
    node_set("backend/vbd/3/51728/frontend", "/local/domain/3/device/vbd/51728");
    node_set("backend/vbd/3/51728/state", "1");
    front_nodes();
    /* What the store sends in their place: the watch's own path. */
    fire("backend/vbd");
    EXPECT(strcmp(node(BACK "/state"), "4") == 0);
    EXPECT(strcmp(node("backend/vbd/3/51728/hotplug-status"), "error") == 0);
    node_remove("backend/vbd/3");
    node_remove(BACK);
    fire("backend/vbd");
    EXPECT(!only()->bus.used && fake_mappings(RIG_BACK) == 0);
    EXPECT(!t.vbds.vbds[1].bus.used);
}

TEST(a_successor_waits_for_what_its_predecessor_left_at_the_disk)
{
    struct blkif_request_segment s = {RIG_REF(0), 0, 7};

    connected();
    only()->volume.disk = &t.disk.blk;
    only()->back->volume.disk = &t.rig.ram.disk;
    t.rig.ram.hold = true;
    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&t.rig.front[0], 9, BLKIF_OP_WRITE, 16, &s, 1);
    blk_front_kick(&t.rig.front[0]);
    (void)fake_enter(RIG_BACK);
    (void)vbds_serve(&t.vbds);
    EXPECT(t.rig.ram.submitted == 1);
    node_set(BACK "/online", "0");
    node_set(BACK "/state", "5");
    fire(BACK "/state");
    node_remove(BACK);
    fire(BACK);
    node_set("backend/vbd/3/51712/params", "/dev/nvme0n1");
    node_set("backend/vbd/3/51712/mode", "w");
    node_set("backend/vbd/3/51712/frontend", "/local/domain/3/device/vbd/51712");
    node_set("backend/vbd/3/51712/online", "1");
    node_set("backend/vbd/3/51712/state", "1");
    fire("backend/vbd/3/51712");
    fire("backend/vbd/3/51712/state");
    EXPECT(strcmp(node("backend/vbd/3/51712/hotplug-status"), "") == 0);
    t.rig.ram.hold = false;
    (void)ramdisk_poll(&t.rig.ram.disk);
    bus_back_settle(&t.vbds.bus);
    EXPECT(strcmp(node("backend/vbd/3/51712/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node("backend/vbd/3/51712/state"), "2") == 0);
    EXPECT(fake_mappings(RIG_BACK) == 0);
    node_remove("backend/vbd/3");
    fire("backend/vbd/3/51712");
}

/* Its predecessor died between writing Connected and the front end's reading it. */
/* By its predecessor's records: no watch has to fire. */
TEST(a_successor_adopts_before_it_is_told)
{
    connected();
    fake_destroy(RIG_BACK);
    fake_watches = 0; /* the store has dropped them, too */
    (void)fake_enter(RIG_BACK);
    EXPECT(vbds_open(&t.vbds, &t.store, &t.disks) == 0);
    EXPECT(bus_back_watch(&t.vbds.bus) == 0);
    EXPECT(only()->bus.used && only()->back->connected && fake_watches == 2);
    EXPECT(strcmp(node(BACK "/state"), "4") == 0);
    gone();
}

TEST(a_successor_adopts_a_front_end_that_has_told_its_rings_and_reads_on)
{
    begin();
    disk_make();
    device_add("/dev/nvme0n1", "w");
    node_set(BACK "/state", "4");
    front_nodes();
    fire(BACK);
    EXPECT(only()->back && only()->back->connected);
    EXPECT(strcmp(node(BACK "/state"), "4") == 0);
    EXPECT(strcmp(node(BACK "/hotplug-status"), "") == 0);
    gone();
}

static void hostile(const char *path, const char *value, const char *why)
{
    offered();
    front_nodes();
    node_set(path, value);
    unsigned lines = fake_log_count();

    fire(FRONT "/state");
    EXPECT(strcmp(node(BACK "/state"), "5") == 0);
    EXPECT(fake_log_count() == lines + 1 && strstr(fake_log_last(), why) != NULL);
    gone();
}

TEST(hostile_front_end_nodes)
{
    hostile(FRONT "/protocol", "x86_32-abi", "protocol");
    hostile(FRONT "/protocol", "", "protocol");
    hostile(FRONT "/multi-queue-num-queues", "5", "more queues");
    hostile(FRONT "/multi-queue-num-queues", "0", "more queues");
    hostile(FRONT "/multi-queue-num-queues", "4294967297", "more queues");
    hostile(FRONT "/multi-queue-num-queues", "2", "does not say");
    hostile(FRONT "/ring-page-order", "5", "larger rings");
    hostile(FRONT "/ring-page-order", "-1", "larger rings");
    hostile(FRONT "/ring-page-order", "1", "does not say");
    hostile(FRONT "/ring-ref", "x", "does not say");
    hostile(FRONT "/ring-ref", "4000000000", "cannot be mapped");
    hostile(FRONT "/ring-ref", "123456789012345678901234567890", "does not say");
    hostile(FRONT "/event-channel", "77", "cannot be bound");
}

TEST(a_lying_ring_loses_its_device)
{
    connected();
    ((struct ring_header *)t.rig.front[0].ring.page)->req_prod = 1000;
    unsigned lines = fake_log_count();

    (void)fake_enter(RIG_BACK);
    for (int i = 0; i < 3; i++)
        (void)vbds_serve(&t.vbds);
    EXPECT(fake_log_count() == lines + 1);
    EXPECT(strcmp(node(BACK "/state"), "5") == 0 && fake_mappings(RIG_BACK) == 0);
    gone();
}

TEST(paths_that_are_no_device)
{
    begin();
    fire("backend/vbd");
    fire("backend/vbd/2");
    fire("backend/vbd/2/51712x");
    fire("backend/vbd/70000/51712");
    fire("/local/domain/9/device/vbd/51712/state");
    EXPECT(!only()->bus.used);
}

TEST(counters_when_asked)
{
    struct blkif_request_segment s = {RIG_REF(0), 0, 7};
    struct blkif_response r;

    connected();
    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&t.rig.front[0], 9, BLKIF_OP_READ, 16, &s, 1);
    blk_front_transfer(&t.rig.front[0], 10, BLKIF_OP_READ, 5000, &s, 1);
    blk_front_kick(&t.rig.front[0]);
    (void)fake_enter(RIG_BACK);
    for (int i = 0; i < 4; i++) {
        (void)ramdisk_poll(&t.rig.ram.disk);
        (void)vbds_serve(&t.vbds);
    }
    (void)fake_enter(RIG_GUEST);
    EXPECT(blk_front_answer(&t.rig.front[0], &r) == 1);
    node_set(BACK "/counters-ask", "17");
    fire(BACK "/counters-ask");
    EXPECT(strcmp(node(BACK "/counters"),
                  "17 rd_req=1 rd_bytes=4096 wr_req=0 wr_bytes=0 flush_req=0 errors=1") == 0);
    /* Only when it is asked for. */
    node_set(BACK "/counters", "");
    fire(BACK "/state");
    EXPECT(strcmp(node(BACK "/counters"), "") == 0);
    fire(BACK "/counters-ask");
    EXPECT(strncmp(node(BACK "/counters"), "17 ", 3) == 0);
    gone();
}
