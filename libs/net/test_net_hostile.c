/* Front ends that break the protocol, flood, or lie: what becomes of them, and of the others. */
#include "net_back.h"

#include <shm.h>

#include "check.h"
#include "rig.h"

static struct rig rig;
static uint8_t bytes[RIG_FRAME_MAX];

static void start(void)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        rig_post(&rig, i, 0, RIG_BUFFERS);
}

static struct net_back *back(uint32_t side)
{
    return rig.sides[side].back;
}

static void slot(struct netif_tx_request s)
{
    (void)fake_enter(RIG_GUEST(0));
    net_front_slot(&rig.sides[0].front[0], &s);
    net_front_kick(&rig.sides[0].front[0]);
}

/* The hostile one is broken and can be let go of; the other is served on. */
static void only_it_suffers(void)
{
    EXPECT(back(0)->broken != NULL && back(1)->broken == NULL);
    EXPECT(!rig_round(&rig)); /* nobody spins on it */
    (void)rig_send(&rig, 1, 0, &(struct rig_frame){.seed = 1, .len = 60});
    rig_kick(&rig, 1, 0);
    rig_run(&rig);
    EXPECT(rig.last_drop == NET_DROP_LINK && rig_answers(&rig, 1, 0, NETIF_RSP_OKAY) == 1);
    rig_disconnect(&rig);
}

TEST(lying_indices)
{
    static const struct {
        bool rx;
        uint32_t by;
    } lies[] = {{false, 257}, {false, UINT32_MAX}, {true, 257}, {true, 0x80000000u}};

    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct net_front *f = &rig.sides[0].front[0];

        start();
        ((struct ring_header *)(lies[i].rx ? f->rx.page : f->tx.page))->req_prod += lies[i].by;
        (void)rig_send(&rig, 1, 0, &(struct rig_frame){.seed = 2, .len = 60});
        rig_kick(&rig, 1, 0);
        rig_run(&rig);
        EXPECT(rig_answers(&rig, 1, 0, NETIF_RSP_OKAY) == 1);
        only_it_suffers();
    }
    /* Buffers fewer than before, of those that were not used: its own affair. */
    start();
    ((struct ring_header *)rig.sides[0].front[0].rx.page)->req_prod--;
    (void)rig_send(&rig, 1, 0, &(struct rig_frame){.seed = 2, .len = 60});
    rig_kick(&rig, 1, 0);
    rig_run(&rig);
    EXPECT(back(0)->broken == NULL && rig_received(&rig, 0, 2, 60));
    rig_disconnect(&rig);
}

TEST(a_packet_that_does_not_end)
{
    start();
    slot((struct netif_tx_request){.gref = RIG_TX(0), .size = 100, .flags = NETTXF_more_data});
    rig_run(&rig);
    EXPECT(rig_quiet(&rig, 1));
    only_it_suffers();
}

TEST(packets_that_are_none_are_answered)
{
    start();
    slot((struct netif_tx_request){.gref = RIG_TX(0), .size = 13, .id = 1});
    slot((struct netif_tx_request){.gref = RIG_TX(0), .size = 60, .offset = 4090, .id = 2});
    slot((struct netif_tx_request){.gref = 5000, .size = 60, .id = 3});
    slot((struct netif_tx_request){.gref = UINT32_MAX, .size = 60, .id = 4});
    slot((struct netif_tx_request){.gref = RIG_TX(0), .size = 60, .id = 5});
    rig_run(&rig);
    for (uint16_t id = 1; id <= 4; id++)
        EXPECT(rig_answered(&rig, 0, id, NETIF_RSP_ERROR));
    EXPECT(rig_answered(&rig, 0, 5, NETIF_RSP_OKAY) && rig.passed == 1);
    EXPECT(back(0)->port.counters.in_drops[NET_DROP_MALFORMED] == 2);
    EXPECT(back(0)->port.counters.in_drops[NET_DROP_ERROR] == 2 && back(0)->broken == NULL);
    rig_disconnect(&rig);
}

/* A page that cannot be read costs its receiver a frame of errors, and its sender the interface. */
TEST(pieces_that_cannot_be_read)
{
    struct net_front_frame frame;

    start();
    (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = 3, .len = 3000, .first = 66});
    fake_grant_table(RIG_GUEST(0))[RIG_TX(1)].flags = 0;
    rig.keep = true;
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    /* The head reached into that page, so the switch never saw it. */
    EXPECT(rig.kept_count == 0 && rig_answers(&rig, 0, 0, NETIF_RSP_ERROR) == 2);

    rig.keep = false;
    (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = 3, .len = 9000, .first = 200});
    fake_grant_table(RIG_GUEST(0))[RIG_TX(4)].flags = 0; /* behind the head */
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 0 && frame.failed);
    EXPECT(back(1)->port.counters.out_drops[NET_DROP_ERROR] == 1);
    EXPECT(back(1)->port.counters.out_packets == 0);
    while (rig_receive(&rig, 1, 0, &frame, bytes) == 0)
        EXPECT(frame.failed && frame.slots == 1);
    only_it_suffers();
}

/* Buffers that cannot be written lose the frame; the sender is answered, and nobody blames it. */
TEST(buffers_that_cannot_be_written)
{
    static const grant_ref_t bad[] = {RIG_TX(0), 5000, UINT32_MAX, 21};
    struct net_front_frame frame;

    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    (void)fake_enter(RIG_GUEST(1));
    for (uint16_t i = 0; i < 4; i++)
        net_front_post(&rig.sides[1].front[0], i, bad[i]);
    net_front_kick(&rig.sides[1].front[0]);
    for (unsigned i = 0; i < 4; i++)
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = 1514});
    rig_kick(&rig, 0, 0);
    fake_grant_table(RIG_GUEST(1))[21].flags = GTF_permit_access | GTF_readonly;
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 4);
    for (unsigned i = 0; i < 4; i++)
        EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 0 && frame.failed);
    EXPECT(back(0)->broken == NULL && back(1)->broken == NULL);
    rig_disconnect(&rig);
}

/* Small slots do not make a receiver's buffers small, too. */
TEST(crumbs_are_swept_together)
{
    struct net_front_frame frame;

    start();
    for (uint16_t i = 0; i < NET_SLOTS_MAX; i++) {
        struct netif_tx_request s = {.gref = RIG_TX(i), .size = 100, .id = i};

        s.size = i == 0 ? NET_SLOTS_MAX * 100 : 100;
        s.flags = i + 1u < NET_SLOTS_MAX ? NETTXF_more_data : 0;
        (void)fake_enter(RIG_GUEST(0));
        net_front_slot(&rig.sides[0].front[0], &s);
    }
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == NET_SLOTS_MAX * 100 && frame.slots == 1);
    rig_disconnect(&rig);
}

/* Whatever the sizes, a receiver spends at most two buffers where one would do. */
TEST(waste_is_bounded)
{
    static const uint16_t sizes[] = {4096, 1, 4096, 1, 4096, 1, 4096, 1, 4096, 1, 4096, 1, 4096, 1};
    struct net_front_frame frame;
    uint32_t total = 0;

    start();
    for (unsigned i = 0; i < 14; i++)
        total += sizes[i];
    for (uint16_t i = 0; i < 14; i++) {
        struct netif_tx_request s = {.gref = RIG_TX(i), .size = sizes[i], .id = i};

        if (i == 0)
            s.size = (uint16_t)total;
        s.flags = i + 1u < 14 ? NETTXF_more_data : 0;
        (void)fake_enter(RIG_GUEST(0));
        net_front_slot(&rig.sides[0].front[0], &s);
    }
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == (int)total);
    EXPECT(frame.slots <= 2 * ((total + PAGE_SIZE - 1) / PAGE_SIZE));
    rig_disconnect(&rig);
}

/* Where that would be too many for a stock front end, frames are laid without gaps. */
TEST(many_buffers_are_laid_tight)
{
    struct net_front_frame frame;
    const uint32_t part = 2100;

    start();
    for (uint16_t i = 0; i < NET_SLOTS_MAX; i++) {
        struct netif_tx_request s = {.gref = RIG_TX(i), .id = i};

        s.size = (uint16_t)(i == 0 ? NET_SLOTS_MAX * part : part);
        s.flags = i + 1u < NET_SLOTS_MAX ? NETTXF_more_data : 0;
        (void)fake_enter(RIG_GUEST(0));
        for (uint32_t n = 0; n < part; n++)
            rig_out(&rig.sides[0], i)[n] = rig_byte(6, i * part + n);
        net_front_slot(&rig.sides[0].front[0], &s);
    }
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == (int)(NET_SLOTS_MAX * part));
    EXPECT(frame.slots == (NET_SLOTS_MAX * part + PAGE_SIZE - 1) / PAGE_SIZE);
    for (uint32_t n = 0; n < NET_SLOTS_MAX * part; n++)
        EXPECT(bytes[n] == rig_byte(6, n));
    rig_disconnect(&rig);
}

/* A request is read once: what changes after that changes nothing. */
static unsigned twice;
static void watch(void *context, void *shared, size_t len)
{
    static const void *last;

    (void)context;
    if (fake_current() == RIG_BACK && len == NET_TX_SLOT_SIZE) {
        twice += shared == last;
        last = shared;
        memset(shared, 0xff, len);
    }
}

TEST(requests_are_read_once)
{
    static const struct shm_hook hook = {.after_read = watch};

    start();
    for (uint32_t i = 0; i < 20; i++)
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = 5000, .first = 66});
    rig_kick(&rig, 0, 0);
    shm_hook_set(&hook);
    rig_run(&rig);
    shm_hook_set(NULL);
    EXPECT(twice == 0);
    for (uint32_t i = 0; i < 20; i++)
        EXPECT(rig_received(&rig, 1, i, 5000));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 60);
    rig_disconnect(&rig);
}

/* Events without requests cost a look each, and no call. */
TEST(a_flood_of_events_is_looked_at_and_no_more)
{
    start();
    rig_run(&rig);
    unsigned effects = fake_effects(RIG_BACK);

    for (unsigned i = 0; i < 100; i++)
        EXPECT(!rig_round(&rig));
    EXPECT(fake_effects(RIG_BACK) == effects);
    rig_disconnect(&rig);
}

/* A guest is destroyed with all it granted, in the midst of everything. */
TEST(a_guest_goes_while_its_frames_are_under_way)
{
    start();
    rig.keep = true;
    for (uint32_t i = 0; i < 5; i++)
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = 9000, .first = 66});
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    memset(fake_grant_table(RIG_GUEST(0)) + RIG_TX(0), 0,
           RIG_PAGES * sizeof(struct grant_entry_v1));
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < rig.kept_count; i++)
        (void)back(1)->port.driver->send(&back(1)->port, rig.kept[i], rig.tag);
    rig_let_go(&rig);
    rig.keep = false;
    rig_run(&rig);
    only_it_suffers();
}
