/* The back end dies at every store and at every call; its successor loses and repeats no answer. */
#include "blk_queue.h"

#include <fake_kill.h>

#include "check.h"
#include "rig.h"

#define REQUESTS 12u

static struct rig rig;
static void run(void)
{
    rig_run(&rig);
}

static void ask_all(void)
{
    (void)fake_enter(RIG_GUEST);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct blkif_request_segment s = {RIG_REF(i), 0, 7};

        memset(rig_page(&rig, i), (int)(0x40 + i), PAGE_SIZE);
        blk_front_transfer(&rig.front[0], 0x100000000u + i, i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ,
                           8ull * i, &s, 1);
    }
    blk_front_kick(&rig.front[0]);
}

/* Everything was answered once, in order, with the right data. */
static void check_all(void)
{
    struct blkif_response r;

    (void)fake_enter(RIG_GUEST);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        EXPECT(blk_front_answer(&rig.front[0], &r) == 1);
        EXPECT(r.id == 0x100000000u + i && r.status == BLKIF_RSP_OKAY);
        EXPECT(r.operation == (i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ));
        EXPECT(memcmp(rig_page(&rig, i), rig.ram.bytes + 8ull * i * BLK_SECTOR, PAGE_SIZE) == 0);
    }
    EXPECT(blk_front_answer(&rig.front[0], &r) == 0);
}

/* The successor: a new back end over the same rings, ports and records. */
static void succeed(void)
{
    fake_domain_reset(RIG_BACK);
    rig.ram.waiting = NULL;
    rig_make_back(&rig);
    EXPECT(fake_grants_mapped(RIG_GUEST) == 0);
    EXPECT(rig_connect(&rig, true) == 0);
    EXPECT(fake_pending(RIG_GUEST, rig.link.queues[0].port));
    rig_run(&rig);
}

TEST(killed_at_every_store)
{
    unsigned n = 0;

    for (bool more = true; more; n++) {
        rig_init(&rig, 1, 0);
        rig_fill_disk(&rig);
        rig.link.persistent = n & 1;
        rig.ram.backwards = n & 2;
        EXPECT(rig_connect(&rig, false) == 0);
        ask_all();
        more = fake_kill_in(run, RIG_BACK, n, false);
        if (more)
            succeed();
        check_all();
    }
    EXPECT(n > REQUESTS * 7);
}

TEST(killed_at_every_call)
{
    unsigned n = 0;

    for (bool more = true; more; n++) {
        rig_init(&rig, 1, 0);
        rig_fill_disk(&rig);
        rig.link.persistent = false;
        EXPECT(rig_connect(&rig, false) == 0);
        ask_all();
        more = fake_kill_in(run, RIG_BACK, n, true);
        if (more)
            succeed();
        check_all();
    }
    EXPECT(n >= 3);
}

TEST(a_forged_record_is_not_believed)
{
    static const struct blk_redo forged[] = {
        {.tag = BLK_REDO_VALID | 1, .id = 666},               /* another slot */
        {.tag = BLK_REDO_VALID | 1ull << 32, .id = 666},      /* no index */
        {.tag = 0, .id = 666},                                /* no tag */
        {.tag = BLK_REDO_VALID, .id = 666, .operation = 256}, /* no operation */
        {.tag = BLK_REDO_VALID, .id = 666, .status = 1},      /* no status */
        {.tag = BLK_REDO_VALID, .id = 666, .status = -0x10000},
    };

    for (unsigned i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        rig_init(&rig, 1, 0);
        rig_fill_disk(&rig);
        ask_all();
        *rig.redo = forged[i];
        EXPECT(rig_connect(&rig, true) == 0);
        rig_run(&rig);
        check_all();
    }
    /* A record for a request that was never made answers nothing. */
    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    *rig.redo = (struct blk_redo){.tag = BLK_REDO_VALID, .id = 666};
    EXPECT(rig_connect(&rig, true) == 0);
    rig_run(&rig);
    ask_all();
    rig_run(&rig);
    check_all();
}

TEST(a_ring_with_impossible_indices_is_refused)
{
    rig_init(&rig, 1, 0);
    rig_fill_disk(&rig);
    ((struct ring_header *)rig.front[0].ring.page)->req_prod = 33;
    EXPECT(rig_connect(&rig, true) == -XEN_EIO);
    EXPECT(fake_mappings(RIG_BACK) == 0);
}
