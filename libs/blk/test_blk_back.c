/* The block back end against a front end of its own kind, step by step. */
#include "blk_back.h"

#include <shm.h>

#include "check.h"
#include "rig.h"

static struct rig rig;

static void start(uint32_t queues, uint32_t order, bool persistent)
{
    rig_init(&rig, queues, order);
    rig_fill_disk(&rig);
    rig.link.persistent = persistent;
    EXPECT(rig_connect(&rig, false) == 0);
}

static struct blkif_request_segment seg(uint32_t page, uint8_t first, uint8_t last)
{
    return (struct blkif_request_segment){RIG_REF(page), first, last};
}

static void ask(uint32_t queue, uint64_t id, uint8_t operation, uint64_t sector, uint32_t page)
{
    struct blkif_request_segment s = seg(page, 0, 7);

    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&rig.front[queue], id, operation, sector, &s, 1);
}

static void kick(uint32_t queue)
{
    (void)fake_enter(RIG_GUEST);
    blk_front_kick(&rig.front[queue]);
}

/* The next answer is to this request, with this status. */
static bool answered(uint32_t queue, uint64_t id, uint8_t operation, int16_t status)
{
    struct blkif_response r = {.status = 99};

    (void)fake_enter(RIG_GUEST);
    return blk_front_answer(&rig.front[queue], &r) == 1 && r.id == id && r.operation == operation &&
           r.status == status;
}

static bool quiet(uint32_t queue)
{
    struct blkif_response r;

    (void)fake_enter(RIG_GUEST);
    return blk_front_answer(&rig.front[queue], &r) == 0;
}

static void stop(void)
{
    (void)fake_enter(RIG_BACK);
    EXPECT(blk_back_is_drained(&rig.back));
    blk_back_disconnect(&rig.back);
    EXPECT(fake_mappings(RIG_BACK) == 0);
    EXPECT(rig.back.pages.unmap_failures == 0);
}

TEST(reads_and_writes)
{
    start(1, 0, false);
    ask(0, 5, BLKIF_OP_READ, 16, 0);
    memset(rig_page(&rig, 1), 0x5a, PAGE_SIZE);
    ask(0, 6, BLKIF_OP_WRITE, 800, 1);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 5, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 6, BLKIF_OP_WRITE, BLKIF_RSP_OKAY));
    EXPECT(quiet(0));
    EXPECT(memcmp(rig_page(&rig, 0), rig.ram.bytes + 16ul * 512, PAGE_SIZE) == 0);
    EXPECT(rig.ram.bytes[800 * 512] == 0x5a && rig.ram.bytes[808 * 512 - 1] == 0x5a);
    EXPECT(fake_grants_mapped(RIG_GUEST) == 1); /* the ring */
    stop();
}

TEST(partial_segments_on_a_partition)
{
    struct blkif_request_segment s[3];

    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    rig.volume.first = 1000;
    rig.volume.sectors = 100;
    EXPECT(rig_connect(&rig, false) == 0);
    s[0] = seg(0, 3, 7);
    s[1] = seg(1, 0, 0);
    s[2] = seg(2, 2, 3);
    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&rig.front[0], 1, BLKIF_OP_READ, 92, s, 3);
    blk_front_transfer(&rig.front[0], 2, BLKIF_OP_READ, 93, s, 3);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 2, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    EXPECT(memcmp(rig_page(&rig, 0) + 3 * 512, rig.ram.bytes + 1092 * 512, 5 * 512) == 0);
    EXPECT(memcmp(rig_page(&rig, 1), rig.ram.bytes + 1097 * 512, 512) == 0);
    EXPECT(memcmp(rig_page(&rig, 2) + 1024, rig.ram.bytes + 1098 * 512, 1024) == 0);
    EXPECT(rig_page(&rig, 0)[3 * 512 - 1] == 0 && rig_page(&rig, 2)[1023] == 0);
    stop();
}

TEST(out_of_order_at_the_disk_in_order_in_the_ring)
{
    start(1, 0, true);
    rig.ram.backwards = rig.ram.hold = true;
    for (uint32_t i = 0; i < 8; i++)
        ask(0, i, BLKIF_OP_READ, 8 * i, i);
    kick(0);
    rig_run(&rig);
    for (uint32_t i = 0; i < 7; i++) {
        (void)ramdisk_step(&rig.ram);
        rig_run(&rig);
        EXPECT(quiet(0));
    }
    (void)ramdisk_step(&rig.ram);
    rig_run(&rig);
    for (uint32_t i = 0; i < 8; i++)
        EXPECT(answered(0, i, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    stop();
}

TEST(persistent_grants_cost_one_event_and_nothing_else)
{
    start(1, 0, true);
    for (unsigned round = 0; round < 4; round++) {
        uint64_t events = rig.back.events;
        unsigned effects = fake_effects(RIG_BACK);

        for (uint32_t i = 0; i < 16; i++)
            ask(0, i, i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ, 8 * i, i);
        kick(0);
        rig_run(&rig);
        EXPECT(rig.back.events == events + 1);
        EXPECT(fake_effects(RIG_BACK) == effects + (round == 0 ? 2 : 1));
        for (uint32_t i = 0; i < 16; i++)
            EXPECT(answered(0, i, i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ, BLKIF_RSP_OKAY));
        EXPECT(quiet(0));
    }
    EXPECT(rig.back.pages.maps == 16 && rig.back.pages.map_calls == 1);
    EXPECT(rig.back.pages.unmap_calls == 0);
    stop();
}

TEST(plain_grants_cost_one_map_and_one_unmap_a_batch)
{
    start(1, 0, false);
    unsigned effects = fake_effects(RIG_BACK);

    for (uint32_t i = 0; i < 32; i++)
        ask(0, i, BLKIF_OP_READ, 8 * i, i);
    kick(0);
    rig_run(&rig);
    EXPECT(fake_effects(RIG_BACK) == effects + 3);
    EXPECT(rig.back.pages.map_calls == 1 && rig.back.pages.unmap_calls == 1);
    stop();
}

/* Every byte of a response is written only after the grants of its request are gone. */
static unsigned mapped_at_answer;
static void watch_answer(void *context, void *shared, size_t len)
{
    (void)shared;
    (void)context;
    if (len == sizeof(struct blkif_response) && fake_grants_mapped(RIG_GUEST) > 1)
        mapped_at_answer++;
}

TEST(grants_are_released_before_the_answer)
{
    static const struct shm_hook hook = {.before_write = watch_answer};

    start(1, 0, false);
    for (uint32_t i = 0; i < 32; i++)
        ask(0, i, BLKIF_OP_WRITE, 8 * i, i);
    kick(0);
    shm_hook_set(&hook);
    rig_run(&rig);
    shm_hook_set(NULL);
    EXPECT(mapped_at_answer == 0);
    EXPECT(answered(0, 0, BLKIF_OP_WRITE, BLKIF_RSP_OKAY));
    stop();
}

TEST(persistent_cache_is_bounded)
{
    start(1, 0, true);
    uint8_t *extra;

    (void)fake_enter(RIG_GUEST);
    extra = memory_pages_alloc(1);
    for (uint32_t i = 0; i < 3000; i++)
        fake_grant(RIG_GUEST, 1000 + i, RIG_BACK, extra, false);
    for (uint32_t i = 0; i < 3000; i++) {
        struct blkif_request_segment s = {1000 + i, 0, 7};

        (void)fake_enter(RIG_GUEST);
        blk_front_transfer(&rig.front[0], i, BLKIF_OP_READ, 0, &s, 1);
        kick(0);
        rig_run(&rig);
        EXPECT(answered(0, i, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    }
    EXPECT(fake_grants_mapped(RIG_GUEST) <= 1 + BLK_PAGES_MAX);
    EXPECT(rig.back.pages.evictions >= 3000 - BLK_PAGES_MAX);
    EXPECT(rig.back.pages.unmap_calls < 100);
    stop();
}

TEST(indirect_segments)
{
    static const bool persistent[] = {false, true};

    for (unsigned k = 0; k < 2; k++) {
        struct blkif_request_segment *list;

        start(1, 0, persistent[k]);
        list = (struct blkif_request_segment *)rig_page(&rig, 90);
        for (uint32_t i = 0; i < BLK_SEGMENTS_MAX; i++)
            list[i] = seg(i, 0, 7);
        (void)fake_enter(RIG_GUEST);
        blk_front_indirect(&rig.front[0], 77, BLKIF_OP_READ, 64, RIG_REF(90), BLK_SEGMENTS_MAX);
        blk_front_indirect(&rig.front[0], 78, BLKIF_OP_READ, 64, RIG_REF(90), BLK_SEGMENTS_MAX + 1);
        blk_front_indirect(&rig.front[0], 79, BLKIF_OP_READ, 64, RIG_REF(90), 0);
        blk_front_indirect(&rig.front[0], 80, BLKIF_OP_WRITE, 64, 4000, 3);
        blk_front_indirect(&rig.front[0], 81, BLKIF_OP_DISCARD, 64, RIG_REF(90), 3);
        kick(0);
        rig_run(&rig);
        EXPECT(rig.back.pages.map_calls == 2);
        EXPECT(answered(0, 77, BLKIF_OP_READ, BLKIF_RSP_OKAY));
        EXPECT(answered(0, 78, BLKIF_OP_READ, BLKIF_RSP_ERROR));
        EXPECT(answered(0, 79, BLKIF_OP_READ, BLKIF_RSP_ERROR));
        EXPECT(answered(0, 80, BLKIF_OP_WRITE, BLKIF_RSP_ERROR));
        EXPECT(answered(0, 81, BLKIF_OP_DISCARD, BLKIF_RSP_EOPNOTSUPP));
        EXPECT(memcmp(rig.data, rig.ram.bytes + 64 * 512, BLK_SEGMENTS_MAX * PAGE_SIZE) == 0);
        EXPECT(fake_grants_mapped(RIG_GUEST) == (persistent[k] ? 2 + BLK_SEGMENTS_MAX : 1));
        stop();
    }
}

TEST(four_queues_of_two_pages)
{
    start(4, 1, true);
    EXPECT(rig.front[3].ring.count == 64);
    for (uint32_t q = 0; q < 4; q++) {
        for (uint32_t i = 0; i < 60; i++)
            ask(q, i, BLKIF_OP_READ, 8 * i, q);
        kick(q);
    }
    rig_run(&rig);
    for (uint32_t q = 0; q < 4; q++)
        for (uint32_t i = 0; i < 60; i++)
            EXPECT(answered(q, i, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    EXPECT(rig.back.requests == 240);
    stop();
}

TEST(flush_discard_and_their_absence)
{
    start(1, 0, true);
    (void)fake_enter(RIG_GUEST);
    blk_front_flush(&rig.front[0], 1);
    blk_front_discard(&rig.front[0], 2, 8, 16);
    blk_front_discard(&rig.front[0], 3, RIG_SECTORS - 8, 9);
    blk_front_discard(&rig.front[0], 4, UINT64_MAX, 2);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 2, BLKIF_OP_DISCARD, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 3, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 4, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR));
    EXPECT(rig.ram.flushes == 1 && rig.ram.discards == 1);
    EXPECT(rig.ram.bytes[8 * 512 + 1] == 0 && rig.ram.bytes[24 * 512 + 1] != 0);

    rig.ram.disk.has_flush = rig.ram.disk.has_discard = false;
    blk_front_flush(&rig.front[0], 5);
    blk_front_discard(&rig.front[0], 6, 8, 16);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 5, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 6, BLKIF_OP_DISCARD, BLKIF_RSP_EOPNOTSUPP));
    EXPECT(rig.ram.flushes == 1 && rig.ram.discards == 1);
    stop();
}

/* The disk's flush covers what it has finished: what was asked before comes first. */
TEST(flush_holds_its_place)
{
    start(1, 0, true);
    rig.ram.backwards = rig.ram.hold = true;
    ask(0, 1, BLKIF_OP_WRITE, 0, 0);
    (void)fake_enter(RIG_GUEST);
    blk_front_flush(&rig.front[0], 2);
    ask(0, 3, BLKIF_OP_WRITE, 8, 1);
    kick(0);
    rig_run(&rig);
    EXPECT(rig.ram.submitted == 2);
    (void)ramdisk_step(&rig.ram);
    rig_run(&rig);
    EXPECT(quiet(0) && rig.ram.submitted == 2);
    (void)ramdisk_step(&rig.ram);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_WRITE, 0) && rig.ram.submitted == 3 && rig.ram.flushes == 0);
    (void)ramdisk_step(&rig.ram);
    rig_run(&rig);
    EXPECT(answered(0, 2, BLKIF_OP_FLUSH_DISKCACHE, 0) && answered(0, 3, BLKIF_OP_WRITE, 0));
    EXPECT(rig.ram.flushes == 1);
    stop();
}

TEST(a_flush_that_was_held_keeps_nobody)
{
    start(1, 0, true);
    rig.ram.hold = true;
    ask(0, 1, BLKIF_OP_WRITE, 0, 0);
    (void)fake_enter(RIG_GUEST);
    blk_front_flush(&rig.front[0], 2);
    kick(0);
    rig_run(&rig);
    EXPECT(!blk_back_is_drained(&rig.back));
    (void)ramdisk_step(&rig.ram);
    EXPECT(blk_back_is_drained(&rig.back) && rig.ram.submitted == 1);
    stop();
}

TEST(read_only_disk)
{
    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    rig.volume.read_only = true;
    EXPECT(rig_connect(&rig, false) == 0);
    ask(0, 1, BLKIF_OP_WRITE, 0, 0);
    ask(0, 2, BLKIF_OP_READ, 0, 0);
    (void)fake_enter(RIG_GUEST);
    blk_front_discard(&rig.front[0], 3, 0, 8);
    blk_front_flush(&rig.front[0], 4);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_WRITE, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 2, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 3, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 4, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY));
    stop();
}

TEST(large_sectors_want_whole_blocks)
{
    struct blkif_request_segment s;

    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    rig.ram.disk.sector_size = 4096;
    EXPECT(rig_connect(&rig, false) == 0);
    ask(0, 1, BLKIF_OP_READ, 8, 0);
    ask(0, 2, BLKIF_OP_READ, 9, 0);
    s = seg(0, 0, 6);
    (void)fake_enter(RIG_GUEST);
    blk_front_transfer(&rig.front[0], 3, BLKIF_OP_READ, 8, &s, 1);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    EXPECT(answered(0, 2, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 3, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    stop();
}

TEST(requests_that_make_no_sense_are_answered)
{
    struct blkif_request_segment s[11];

    start(1, 0, false);
    (void)fake_enter(RIG_GUEST);
    fake_grant(RIG_GUEST, 3000, 5, rig_page(&rig, 0), false);
    fake_grant(RIG_GUEST, 3001, RIG_BACK, rig_page(&rig, 0), true);
    s[0] = seg(0, 0, 7);
    blk_front_transfer(&rig.front[0], 1, BLKIF_OP_READ, RIG_SECTORS - 7, s, 1);
    blk_front_transfer(&rig.front[0], 2, BLKIF_OP_READ, UINT64_MAX - 7, s, 1);
    blk_front_transfer(&rig.front[0], 3, BLKIF_OP_READ, 0, s, 0);
    blk_front_transfer(&rig.front[0], 4, BLKIF_OP_READ, 0, s, 255);
    blk_front_transfer(&rig.front[0], 5, 200, 0, s, 1);
    blk_front_transfer(&rig.front[0], 6, BLKIF_OP_WRITE_BARRIER, 0, s, 1);
    s[0] = seg(0, 5, 4);
    blk_front_transfer(&rig.front[0], 7, BLKIF_OP_READ, 0, s, 1);
    s[0] = seg(0, 0, 8);
    blk_front_transfer(&rig.front[0], 8, BLKIF_OP_READ, 0, s, 1);
    s[0].gref = 3000;
    s[0].last_sect = 7;
    blk_front_transfer(&rig.front[0], 9, BLKIF_OP_READ, 0, s, 1);
    s[0].gref = 3001;
    blk_front_transfer(&rig.front[0], 10, BLKIF_OP_READ, 0, s, 1);
    blk_front_transfer(&rig.front[0], 11, BLKIF_OP_WRITE, 0, s, 1);
    kick(0);
    rig_run(&rig);
    for (uint64_t id = 1; id <= 4; id++)
        EXPECT(answered(0, id, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 5, 200, BLKIF_RSP_EOPNOTSUPP));
    EXPECT(answered(0, 6, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_EOPNOTSUPP));
    for (uint64_t id = 7; id <= 10; id++)
        EXPECT(answered(0, id, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 11, BLKIF_OP_WRITE, BLKIF_RSP_OKAY)); /* the disk only reads the page */
    EXPECT(rig.ram.submitted == 1);
    stop();
}

TEST(disk_errors_reach_the_guest)
{
    start(1, 0, true);
    rig.ram.fail_next = 1;
    ask(0, 1, BLKIF_OP_READ, 0, 0);
    ask(0, 2, BLKIF_OP_READ, 0, 0);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 1, BLKIF_OP_READ, BLKIF_RSP_ERROR));
    EXPECT(answered(0, 2, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    stop();
}

TEST(a_lying_index_breaks_only_this_device)
{
    start(1, 0, true);
    rig.ram.hold = true;
    ask(0, 1, BLKIF_OP_READ, 0, 0);
    kick(0);
    rig_run(&rig);
    ((struct ring_header *)rig.front[0].ring.page)->req_prod = 34;
    rig_run(&rig);
    EXPECT(rig.back.broken != NULL);
    (void)fake_enter(RIG_BACK);
    EXPECT(!blk_back_is_drained(&rig.back));
    rig.ram.hold = false;
    rig_run(&rig);
    stop();
}

TEST(connect_refuses_what_was_not_offered)
{
    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    rig.link.queue_count = BLK_QUEUES_MAX + 1;
    EXPECT(rig_connect(&rig, false) == -XEN_EINVAL);
    rig.link.queue_count = 0;
    EXPECT(rig_connect(&rig, false) == -XEN_EINVAL);
    rig.link.queue_count = 1;
    rig.link.ring_order = BLK_RING_ORDER_MAX + 1;
    EXPECT(rig_connect(&rig, false) == -XEN_EINVAL);
    rig.link.ring_order = 1;
    EXPECT(rig_connect(&rig, false) < 0); /* its second page is not granted */
    EXPECT(fake_mappings(RIG_BACK) == 0);
    rig.link.ring_order = 0;
    rig.link.queues[0].port = 99;
    EXPECT(rig_connect(&rig, false) < 0);
    EXPECT(rig.why && fake_mappings(RIG_BACK) == 0);
}

TEST(reconnects)
{
    start(1, 0, true);
    ask(0, 1, BLKIF_OP_READ, 0, 0);
    kick(0);
    rig_run(&rig);
    stop();
    rig_make_guest(&rig, 1, 2);
    EXPECT(rig_connect(&rig, false) == 0);
    ask(0, 2, BLKIF_OP_READ, 0, 3);
    kick(0);
    rig_run(&rig);
    EXPECT(answered(0, 2, BLKIF_OP_READ, BLKIF_RSP_OKAY));
    stop();
}
