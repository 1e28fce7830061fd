/*
 * The net domain dies at every store and at every call, its successor too: no
 * slot is answered twice or never, no frame is lost, none arrives in parts.
 */
#include "net_back.h"

#include <fake_kill.h>

#include "check.h"
#include "rig.h"

static struct rig rig;

/* From each side; all differ in seed, so that repeated ones are known. */
static const struct rig_frame frames[] = {
    {.seed = 1, .len = 60},
    {.seed = 2, .len = 9000, .first = 66},
    {.seed = 3,
     .len = 20000,
     .first = 100,
     .flags = NETTXF_csum_blank,
     .gso_type = XEN_NETIF_GSO_TYPE_TCPV4,
     .gso_size = 1448},
    {.seed = 4, .len = 13}, /* no frame */
    {.seed = 5, .len = 1514, .first = 66},
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))
#define NONE   3u

static void begin(bool split)
{
    rig_init(&rig, 1, split);
    EXPECT(rig_connect(&rig, false) == 0);
    for (uint32_t side = 0; side < RIG_GUESTS; side++) {
        rig_post(&rig, side, 0, 40);
        for (uint32_t i = 0; i < FRAMES; i++)
            (void)rig_send(&rig, side, 0, &frames[i]);
        rig_kick(&rig, side, 0);
    }
}

/* The successor's start; it may itself die in it. */
static void adopt(void)
{
    fake_domain_reset(RIG_BACK);
    rig_make_back(&rig);
    rig.kept_count = 0;
    EXPECT(fake_grants_mapped(RIG_GUEST(0)) == 0);
    EXPECT(rig_connect(&rig, true) == 0);
    rig_run(&rig);
}

/* Takes what is there and posts it again, until no more comes. */
static void receive_all(uint32_t side, uint32_t *seen)
{
    static uint8_t bytes[RIG_FRAME_MAX];
    struct net_front_frame frame;
    int len;

    for (;;) {
        bool any = false;

        while ((len = rig_receive(&rig, side, 0, &frame, bytes)) >= 0) {
            any = true;
            uint32_t i = 0;

            while (i < FRAMES && rig_byte(frames[i].seed, 0) != bytes[0])
                i++;
            if (frame.failed)
                continue;
            EXPECT(i < FRAMES && i != NONE && (uint32_t)len == frames[i].len);
            for (uint32_t n = 0; n < (uint32_t)len; n++)
                EXPECT(bytes[n] == rig_byte(frames[i].seed, n));
            EXPECT(frame.gso_type == frames[i].gso_type);
            seen[i]++;
        }
        rig_post(&rig, side, 0, RIG_BUFFERS);
        rig_run(&rig);
        if (!any)
            return;
    }
}

/* The slots were answered once each, in order. */
static void check_answers(uint32_t side)
{
    uint16_t id = 0;

    for (uint32_t i = 0; i < FRAMES; i++) {
        int16_t status = i == NONE ? NETIF_RSP_ERROR : NETIF_RSP_OKAY;
        uint32_t pages = 1;

        for (uint32_t left = frames[i].len; left > PAGE_SIZE; pages++)
            left -= pages == 1 && frames[i].first ? frames[i].first : PAGE_SIZE;
        if (frames[i].first && frames[i].first < frames[i].len && pages == 1)
            pages = 2;
        EXPECT(rig_answered(&rig, side, id++, status));
        if (frames[i].gso_type)
            EXPECT(rig_answered(&rig, side, 0, NETIF_RSP_NULL));
        for (uint32_t n = 1; n < pages; n++)
            EXPECT(rig_answered(&rig, side, id++, status));
    }
    EXPECT(rig_answers(&rig, side, 0, NETIF_RSP_OKAY) == 0);
}

static void check_all(void)
{
    for (uint32_t side = 0; side < RIG_GUESTS; side++) {
        uint32_t seen[FRAMES] = {0};

        EXPECT(rig.sides[side].back->broken == NULL);
        receive_all(side, seen);
        for (uint32_t i = 0; i < FRAMES; i++)
            EXPECT(i == NONE ? seen[i] == 0 : seen[i] >= 1);
    }
    check_answers(0);
    check_answers(1);
    /* It is awake for what comes. */
    (void)rig_send(&rig, 0, 0, &frames[0]);
    rig_kick(&rig, 0, 0);
    EXPECT(fake_pending(RIG_BACK, rig.sides[0].back->queues[0].tx_port));
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 1, 60));
    rig_disconnect(&rig);
}

static void run_on(void)
{
    rig_run(&rig);
}

static unsigned kill_everywhere(bool at_call, bool split)
{
    unsigned n = 0;

    for (bool more = true; more; n++) {
        begin(split);
        more = fake_kill_in(run_on, RIG_BACK, n, at_call);
        if (more) {
            adopt();
            for (uint32_t side = 0; side < RIG_GUESTS; side++) {
                EXPECT(fake_pending(RIG_GUEST(side), rig.sides[side].link.queues[0].tx_port));
                EXPECT(fake_pending(RIG_GUEST(side), rig.sides[side].link.queues[0].rx_port));
            }
        }
        check_all();
    }
    return n;
}

TEST(killed_at_every_store)
{
    /* A record is six stores, an answer one for each slot, and one publishes it. */
    EXPECT(kill_everywhere(false, false) > 2 * (FRAMES * (6 + 2) + (FRAMES - 1) * (6 + 2)));
    (void)kill_everywhere(false, true);
}

TEST(killed_at_every_call)
{
    EXPECT(kill_everywhere(true, false) >= 4);
    EXPECT(kill_everywhere(true, true) >= 6);
}

TEST(the_successor_dies_too)
{
    for (unsigned n = 1; n < 120; n += 7) {
        for (unsigned m = 0; m < 40; m++) {
            begin(false);
            if (fake_kill_in(run_on, RIG_BACK, n, false) && fake_kill_in(adopt, RIG_BACK, m, m & 1))
                adopt();
            check_all();
        }
    }
}

/* Frames that waited are sent again by their senders' ring; buffers not answered are free. */
TEST(killed_with_frames_that_wait)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    (void)rig_send(&rig, 0, 0, &frames[1]);
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig.sides[1].back->queues[0].rx.waiting == 1);
    adopt();
    EXPECT(rig.sides[1].back->queues[0].rx.waiting == 1);
    rig_post(&rig, 1, 0, 8);
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 2, 9000));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 4);
    rig_disconnect(&rig);
}

TEST(groups_are_passed_after_a_death)
{
    static const uint8_t group[] = {1, 0, 0x5e, 0, 0, 1};

    rig_init(&rig, 1, false);
    rig.sides[1].link.multicast_control = true;
    EXPECT(rig_connect(&rig, false) == 0);
    EXPECT(!net_groups_pass(&rig.sides[1].back->groups, group));
    adopt();
    EXPECT(net_groups_pass(&rig.sides[1].back->groups, group));
    rig_disconnect(&rig);
}

TEST(a_forged_record_is_not_believed)
{
    static const struct net_redo_record forged[] = {
        {.tag = NET_REDO_VALID | 1, .slots = 1},          /* another slot */
        {.tag = NET_REDO_VALID | 1ull << 32, .slots = 1}, /* no index */
        {.tag = 0, .slots = 1},                           /* no tag */
        {.tag = NET_REDO_VALID, .slots = 0},              /* of nothing */
        {.tag = NET_REDO_VALID, .slots = NET_TX_SLOTS_MAX + 1},
        {.tag = NET_REDO_VALID, .slots = UINT32_MAX},
        {.tag = NET_REDO_VALID, .slots = 1, .extras = 1}, /* no packet starts so */
        {.tag = NET_REDO_VALID, .slots = 2, .extras = 4}, /* behind its end */
        {.tag = NET_REDO_VALID, .slots = 1, .status = 1}, /* no status */
        {.tag = NET_REDO_VALID, .slots = 1, .status = -3},
    };

    for (unsigned i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        begin(false);
        rig.sides[0].redo->tx = rig.sides[0].redo->rx = forged[i];
        adopt();
        check_all();
    }
    /* One for slots that were never asked answers nothing. */
    rig_init(&rig, 1, false);
    rig.sides[0].redo->tx = (struct net_redo_record){.tag = NET_REDO_VALID, .slots = 1};
    EXPECT(rig_connect(&rig, true) == 0);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0);
    rig_disconnect(&rig);
}

TEST(a_ring_with_impossible_indices_is_refused)
{
    begin(false);
    fake_domain_reset(RIG_BACK);
    rig_make_back(&rig);
    ((struct ring_header *)rig.sides[0].front[0].tx.page)->req_prod = 257;
    EXPECT(rig_connect_side(&rig, 0, true) == -XEN_EIO && fake_mappings(RIG_BACK) == 0);
    begin(false);
    fake_domain_reset(RIG_BACK);
    rig_make_back(&rig);
    ((struct ring_header *)rig.sides[0].front[0].rx.page)->req_prod = 257;
    EXPECT(rig_connect_side(&rig, 0, true) == -XEN_EIO && fake_mappings(RIG_BACK) == 0);
}
