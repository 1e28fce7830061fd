/* The network back end between two front ends of its own kind, step by step. */
#include "net_back.h"

#include <shm.h>

#include "check.h"
#include "rig.h"

static struct rig rig;
static uint8_t bytes[RIG_FRAME_MAX];

static void start(uint32_t queues, bool split)
{
    rig_init(&rig, queues, split);
    EXPECT(rig_connect(&rig, false) == 0);
    for (uint32_t q = 0; q < queues; q++)
        for (uint32_t i = 0; i < RIG_GUESTS; i++)
            rig_post(&rig, i, q, RIG_BUFFERS);
}

static struct net_back *back(uint32_t side)
{
    return rig.sides[side].back;
}

/* One frame from side 0, of that many bytes. */
static uint32_t one(uint32_t seed, uint32_t len)
{
    uint32_t slots = rig_send(&rig, 0, 0, &(struct rig_frame){.seed = seed, .len = len});

    rig_kick(&rig, 0, 0);
    return slots;
}

TEST(frames_of_all_lengths)
{
    static const uint32_t lengths[] = {14,   60,   191,  192,  193,   1514, 4095,
                                       4096, 4097, 8192, 9014, 40000, 65535};

    start(1, false);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint32_t slots = one(i, lengths[i]);

        rig_run(&rig);
        EXPECT(rig_received(&rig, 1, i, lengths[i]));
        EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == slots);
        EXPECT(rig_quiet(&rig, 1) && rig_quiet(&rig, 0));
        rig_post(&rig, 1, 0, RIG_BUFFERS);
    }
    EXPECT(fake_grants_mapped(RIG_GUEST(0)) == 2 && back(0)->broken == NULL);
    rig_disconnect(&rig);
}

TEST(a_round_is_two_copies_and_an_event_each)
{
    start(1, false);
    rig_run(&rig);
    for (uint32_t i = 0; i < 20; i++)
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = 1514, .first = 66});
    rig_kick(&rig, 0, 0);

    unsigned effects = fake_effects(RIG_BACK);

    rig_run(&rig);
    EXPECT(rig.batch.calls == 2);
    EXPECT(fake_effects(RIG_BACK) == effects + 4);
    EXPECT(back(0)->events == 1 && back(1)->events == 1);
    EXPECT(fake_pending(RIG_GUEST(0), rig.sides[0].link.queues[0].tx_port));
    EXPECT(fake_pending(RIG_GUEST(1), rig.sides[1].link.queues[0].rx_port));
    for (uint32_t i = 0; i < 20; i++)
        EXPECT(rig_received(&rig, 1, i, 1514));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 40);
    rig_disconnect(&rig);
}

TEST(split_events)
{
    start(1, true);
    rig_run(&rig);
    (void)one(1, 5000);
    rig_run(&rig);
    EXPECT(back(0)->events == 1 && back(1)->events == 1);
    EXPECT(fake_pending(RIG_GUEST(0), rig.sides[0].link.queues[0].tx_port));
    EXPECT(!fake_pending(RIG_GUEST(1), rig.sides[1].link.queues[0].tx_port));
    EXPECT(fake_pending(RIG_GUEST(1), rig.sides[1].link.queues[0].rx_port));
    rig_disconnect(&rig);
}

/* What the switch saw is what arrives, whatever the sender does to its pages in between. */
TEST(what_was_looked_at_is_what_arrives)
{
    struct net_front_frame frame;

    start(1, false);
    rig.keep = true;
    (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = 3, .len = 3000, .first = 66});
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig.kept_count == 1 && rig.last.head_len == NET_HEAD_MAX && rig.last.len == 3000);
    for (uint32_t page = 0; page < 2; page++)
        memset(rig_out(&rig.sides[0], page), 0xee, PAGE_SIZE);
    (void)fake_enter(RIG_BACK);
    EXPECT(back(1)->port.driver->send(&back(1)->port, rig.kept[0], rig.tag) == NET_DROP_NONE);
    rig_let_go(&rig);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 3000);
    for (uint32_t i = 0; i < NET_HEAD_MAX; i++)
        EXPECT(bytes[i] == rig_byte(3, i));
    EXPECT(bytes[NET_HEAD_MAX] == 0xee && bytes[2999] == 0xee);
    rig_disconnect(&rig);
}

TEST(segments_cross_whole)
{
    static const uint8_t types[] = {XEN_NETIF_GSO_TYPE_TCPV4, XEN_NETIF_GSO_TYPE_TCPV6};
    struct net_front_frame frame;

    start(1, false);
    for (unsigned i = 0; i < 2; i++) {
        struct rig_frame f = {.seed = i,
                              .len = 65226,
                              .first = 66,
                              .flags = NETTXF_csum_blank | NETTXF_data_validated,
                              .gso_type = types[i],
                              .gso_size = 1448};
        uint32_t slots = rig_send(&rig, 0, 0, &f);

        rig_kick(&rig, 0, 0);
        rig_run(&rig);
        EXPECT(rig.last.gso == (i == 0 ? NET_GSO_TCP4 : NET_GSO_TCP6));
        EXPECT(rig.last.gso_size == 1448 && rig.last.checksum == NET_CHECKSUM_BLANK);
        EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 65226);
        EXPECT(frame.gso_type == types[i] && frame.gso_size == 1448 && frame.count <= 18);
        EXPECT(frame.flags & NETRXF_csum_blank && frame.flags & NETRXF_data_validated);
        for (uint32_t n = 0; n < 65226; n++)
            EXPECT(bytes[n] == rig_byte(i, n));
        EXPECT(rig_answered(&rig, 0, (uint16_t)(i * (slots - 1)), NETIF_RSP_OKAY));
        EXPECT(rig_answered(&rig, 0, 0, NETIF_RSP_NULL));
        EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == slots - 2);
        rig_post(&rig, 1, 0, RIG_BUFFERS);
    }
    rig_disconnect(&rig);
}

/* A copy costs more by its number than by its bytes. */
TEST(aligned_pieces_are_not_cut)
{
    start(1, false);
    (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = 1, .len = 65226, .first = 66});
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig.batch.copies <= 2 + 1 + 17);
    EXPECT(rig_received(&rig, 1, 1, 65226));
    rig_disconnect(&rig);
}

TEST(checksum_flags)
{
    static const uint16_t out[] = {0, NETTXF_data_validated,
                                   NETTXF_csum_blank | NETTXF_data_validated, NETTXF_csum_blank};
    static const uint16_t in[] = {0, NETRXF_data_validated,
                                  NETRXF_csum_blank | NETRXF_data_validated,
                                  NETRXF_csum_blank | NETRXF_data_validated};
    struct net_front_frame frame;

    start(1, false);
    for (unsigned i = 0; i < 4; i++) {
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = 70, .flags = out[i]});
        rig_kick(&rig, 0, 0);
        rig_run(&rig);
        EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 70 && frame.flags == in[i]);
    }
    rig_disconnect(&rig);
}

TEST(tags_are_put_in)
{
    struct net_front_frame frame;

    start(1, false);
    rig.tag = (struct net_tag){.present = true, .tci = 0x6123};
    (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = 9, .len = 65535, .first = 100});
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 65539);
    EXPECT(bytes[12] == 0x81 && bytes[13] == 0 && bytes[14] == 0x61 && bytes[15] == 0x23);
    for (uint32_t i = 0; i < 65535; i++)
        EXPECT(bytes[i < 12 ? i : i + 4] == rig_byte(9, i));
    rig_disconnect(&rig);
}

TEST(headroom_for_xdp)
{
    struct net_front_frame frame;

    rig_init(&rig, 1, false);
    rig.sides[1].link.xdp_headroom = 256;
    EXPECT(rig_connect(&rig, false) == 0);
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    EXPECT(!back(1)->port.abilities.gso4 && !back(1)->port.abilities.scatter);
    (void)one(1, 1514);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 1514);
    EXPECT(frame.headroom == 256 && frame.buffers[0].offset == 256 && frame.slots == 2);
    (void)one(1, 3841);
    rig_run(&rig);
    EXPECT(rig.last_drop == NET_DROP_TOO_LONG);

    /* The program goes: whole frames again. */
    (void)fake_enter(RIG_BACK);
    net_back_headroom(back(1), 0);
    EXPECT(back(1)->port.abilities.gso4 && back(1)->port.abilities.scatter);
    (void)one(2, 9000);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 9000 && frame.headroom == 0);
    rig_disconnect(&rig);
}

TEST(a_front_end_without_scatter)
{
    rig_init(&rig, 1, false);
    rig.sides[1].link.scatter = false;
    EXPECT(rig_connect(&rig, false) == 0);
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    EXPECT(!back(1)->port.abilities.gso4);
    (void)one(1, 4096);
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 1, 4096));
    (void)one(1, 4097);
    rig_run(&rig);
    EXPECT(rig.last_drop == NET_DROP_TOO_LONG && rig_quiet(&rig, 1));
    rig_disconnect(&rig);
}

static void group(uint8_t type, uint8_t last)
{
    struct netif_tx_request slot = {.gref = RIG_TX(0), .size = 14, .id = 77};
    struct netif_extra_info extra = {.type = type};

    (void)fake_enter(RIG_GUEST(1));
    slot.flags = NETTXF_extra_info;
    extra.u.mcast.addr[0] = 1;
    extra.u.mcast.addr[5] = last;
    net_front_slot(&rig.sides[1].front[0], &slot);
    net_front_extra(&rig.sides[1].front[0], &extra);
    net_front_kick(&rig.sides[1].front[0]);
    rig_run(&rig);
}

/* A frame from side 0 to that group arrives. */
static bool hears(uint8_t last)
{
    static const uint8_t start_of[] = {1, 0, 0, 0, 0};
    struct netif_tx_request slot = {.gref = RIG_TX(0), .size = 60, .id = 5};

    (void)fake_enter(RIG_GUEST(0));
    memcpy(rig_out(&rig.sides[0], 0), start_of, sizeof(start_of));
    rig_out(&rig.sides[0], 0)[5] = last;
    net_front_slot(&rig.sides[0].front[0], &slot);
    net_front_kick(&rig.sides[0].front[0]);
    rig_run(&rig);
    return !rig_quiet(&rig, 1);
}

TEST(multicast_groups)
{
    start(1, false);
    EXPECT(hears(1));
    net_back_multicast_control(back(1), true);
    EXPECT(!hears(1) && rig.last_drop == NET_DROP_GROUP);
    group(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 1);
    EXPECT(rig_answered(&rig, 1, 77, NETIF_RSP_OKAY));
    EXPECT(rig_answered(&rig, 1, 77, NETIF_RSP_NULL));
    EXPECT(hears(1) && !hears(2));
    group(XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 1);
    EXPECT(!hears(1));
    for (unsigned i = 0; i < NET_GROUPS_MAX + 5; i++)
        group(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, (uint8_t)i);
    EXPECT(back(1)->groups.count == NET_GROUPS_MAX && hears(63) && !hears(64));
    EXPECT(rig_answers(&rig, 1, 0, NETIF_RSP_OKAY) == UINT32_MAX);
    rig_disconnect(&rig);
}

TEST(four_queues)
{
    static const uint8_t header[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    uint32_t used = 0;

    start(4, true);
    for (uint32_t i = 0; i < 64; i++) {
        struct rig_side *s = &rig.sides[0];
        struct netif_tx_request slot = {.gref = RIG_TX(i), .size = 60, .id = (uint16_t)i};

        (void)fake_enter(RIG_GUEST(0));
        memset(rig_out(s, i), 0, 60);
        memcpy(rig_out(s, i), header, sizeof(header));
        rig_out(s, i)[23] = 6;
        rig_out(s, i)[34] = (uint8_t)i; /* a port */
        net_front_slot(&s->front[i % 4], &slot);
        rig_kick(&rig, 0, i % 4);
    }
    rig_run(&rig);
    for (uint32_t q = 0; q < 4; q++) {
        struct net_front_frame frame;
        uint32_t count = 0;

        while (rig_receive(&rig, 1, q, &frame, bytes) >= 0)
            count++;
        used += count > 0;
        EXPECT(rig_answers(&rig, 0, q, NETIF_RSP_OKAY) == 16);
    }
    EXPECT(used >= 3 && back(1)->port.counters.out_packets == 64);
    rig_disconnect(&rig);
}

TEST(a_full_batch_makes_room_for_itself)
{
    static bool failed[NET_BATCH_MAX + 90];
    uint8_t *to;

    start(1, false);
    (void)fake_enter(RIG_BACK);
    to = memory_pages_alloc(2);
    for (uint32_t i = 0; i < NET_BATCH_MAX + 90; i++) {
        /* Two of them cannot be done; a local end may lie over two pages. */
        grant_ref_t ref = i == 10 || i == NET_BATCH_MAX + 80 ? 3000 : RIG_TX(i % RIG_PAGES);

        failed[i] = false;
        net_batch_copy(&rig.batch, net_place_granted(RIG_GUEST(0), ref, 0),
                       net_place_local(i == 20 ? to + PAGE_SIZE - 50 : to), 100, &failed[i]);
    }
    EXPECT(rig.batch.calls == 1 && failed[10] && !failed[NET_BATCH_MAX + 80]);
    net_batch_run(&rig.batch);
    EXPECT(rig.batch.calls == 2 && rig.batch.copies == NET_BATCH_MAX + 91);
    for (uint32_t i = 0; i < NET_BATCH_MAX + 90; i++)
        EXPECT(failed[i] == (i == 10 || i == NET_BATCH_MAX + 80));
    net_batch_run(&rig.batch);
    EXPECT(rig.batch.calls == 2);
    rig_disconnect(&rig);
}

/* ---- receivers that do not take ---------------------------------------------------------------
 */

TEST(frames_wait_for_buffers)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    rig_run(&rig);
    for (uint32_t i = 0; i < 3; i++)
        (void)one(i, 5000);
    rig_run(&rig);
    EXPECT(rig_quiet(&rig, 1) && rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0);
    EXPECT(net_back_expire(back(1), 1000) == 1000 + NET_WAIT_NS);

    /* Not enough for one: the back end need not know. */
    (void)fake_enter(RIG_GUEST(1));
    net_front_post(&rig.sides[1].front[0], 0, RIG_RX(0));
    EXPECT(!ring_front_publish(&rig.sides[1].front[0].rx));
    net_front_post(&rig.sides[1].front[0], 1, RIG_RX(1));
    EXPECT(ring_front_publish(&rig.sides[1].front[0].rx));
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 0, 5000) && rig_quiet(&rig, 1));
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 1, 5000) && rig_received(&rig, 1, 2, 5000));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 6);
    EXPECT(net_back_expire(back(1), 2000) == UINT64_MAX);
    rig_disconnect(&rig);
}

TEST(a_receiver_that_does_not_take_holds_nobody)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    for (uint32_t i = 0; i < 100; i++)
        (void)one(i, 60);
    rig_run(&rig);
    EXPECT(back(1)->port.counters.out_drops[NET_DROP_NO_BUFFER] == 100 - NET_RX_WAIT_MAX);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0);
    EXPECT(net_back_expire(back(1), 5) == 5 + NET_WAIT_NS);
    EXPECT(net_back_expire(back(1), 4 + NET_WAIT_NS) == 5 + NET_WAIT_NS);
    EXPECT(net_back_expire(back(1), 5 + NET_WAIT_NS) == UINT64_MAX);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 100);
    EXPECT(back(1)->port.counters.out_drops[NET_DROP_NO_BUFFER] == 100);
    EXPECT(back(1)->port.counters.out_packets == 0 && back(1)->port.counters.out_bytes == 0);

    /* From now on nothing waits, until it posts. */
    (void)one(7, 60);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 1 && rig.last_drop == NET_DROP_NO_BUFFER);
    rig_post(&rig, 1, 0, 1);
    (void)one(8, 60);
    (void)one(9, 60);
    rig_run(&rig);
    EXPECT(rig_received(&rig, 1, 8, 60) && rig.last_drop == NET_DROP_NONE);
    EXPECT(net_back_expire(back(1), 99) != UINT64_MAX);
    rig_disconnect(&rig);
}

TEST(without_rx_notify_nothing_waits)
{
    rig_init(&rig, 1, false);
    rig.sides[1].link.rx_notify = false;
    EXPECT(rig_connect(&rig, false) == 0);
    (void)one(1, 60);
    rig_run(&rig);
    EXPECT(rig.last_drop == NET_DROP_NO_BUFFER);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 1);
    rig_disconnect(&rig);
}

TEST(answers_are_in_order)
{
    start(1, false);
    rig.keep = true;
    for (uint32_t i = 0; i < 8; i++)
        (void)one(i, 60);
    rig_run(&rig);
    EXPECT(rig.kept_count == 8);
    for (uint32_t i = 8; i-- > 0;) {
        EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0);
        (void)fake_enter(RIG_BACK);
        net_packet_put(rig.kept[i]);
        rig_run(&rig);
    }
    rig.kept_count = 0;
    for (uint16_t i = 0; i < 8; i++)
        EXPECT(rig_answered(&rig, 0, i, NETIF_RSP_OKAY));
    rig_disconnect(&rig);
}

/* One guest's flood costs a bounded part of each round, and its packets wait in its ring. */
TEST(rounds_are_bounded)
{
    start(1, false);
    for (uint32_t i = 0; i < 200; i++)
        (void)one(i, 60);
    EXPECT(rig_round(&rig) && rig.passed == NET_BUDGET);
    rig.keep = true;
    rig_run(&rig);
    EXPECT(rig.kept_count == NET_TAKEN_MAX && back(0)->queues[0].tx.flying == NET_TAKEN_MAX);
    rig_let_go(&rig);
    rig.keep = false;
    /* Only answers, but what stands in the ring gets no event any more. */
    EXPECT(rig_round(&rig));
    rig_run(&rig);
    EXPECT(rig.passed == 200 && rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 200);
    rig_disconnect(&rig);
}

TEST(closes_with_frames_that_wait)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    (void)one(1, 60);
    rig_run(&rig);
    (void)fake_enter(RIG_BACK);
    net_back_close(back(0));
    EXPECT(!net_back_is_drained(back(0))); /* the other's ring still has it */
    net_back_close(back(1));
    EXPECT(net_back_is_drained(back(0)) && net_back_is_drained(back(1)));
    EXPECT(back(1)->port.driver->send(&back(1)->port, &back(0)->jobs[0].packet, rig.tag) ==
           NET_DROP_LINK);
    rig_disconnect(&rig);
}

TEST(reconnects)
{
    start(1, false);
    (void)one(1, 60);
    rig_run(&rig);
    (void)fake_enter(RIG_BACK);
    rig_disconnect(&rig);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        rig_make_guest(&rig.sides[i], RIG_GUEST(i), 2, true);
    EXPECT(rig_connect(&rig, false) == 0);
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    rig_post(&rig, 1, 1, RIG_BUFFERS);
    (void)one(2, 60);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 1 && rig.last_drop == NET_DROP_NONE);
    rig_disconnect(&rig);
}

TEST(connect_refuses_what_was_not_offered)
{
    rig_init(&rig, 1, false);
    rig.sides[0].link.rx_copy = false;
    EXPECT(rig_connect_side(&rig, 0, false) == -XEN_EINVAL);
    rig.sides[0].link.rx_copy = true;
    rig.sides[0].link.queue_count = NET_QUEUES_MAX + 1;
    EXPECT(rig_connect_side(&rig, 0, false) == -XEN_EINVAL);
    rig.sides[0].link.queue_count = 0;
    EXPECT(rig_connect_side(&rig, 0, false) == -XEN_EINVAL);
    rig.sides[0].link.queue_count = 2; /* the second's pages are not granted */
    EXPECT(rig_connect_side(&rig, 0, false) < 0 && fake_mappings(RIG_BACK) == 0);
    rig.sides[0].link.queue_count = 1;
    rig.sides[0].link.queues[0].rx_port = 99;
    EXPECT(rig_connect_side(&rig, 0, false) < 0);
    EXPECT(rig.sides[0].why && fake_mappings(RIG_BACK) == 0);
}
