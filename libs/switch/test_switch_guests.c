/* Two guests with interfaces of their own, and a switch in place of the wire between them. */
#include "switch.h"

#include <string.h>

#include <check.h>

#include "../net/rig.h"

#define SECOND UINT64_C(1000000000)
#define PAGES  (SWITCH_HEAD_PAGES + 64u)
#define HEADER 54u
#define PART   1400u

static struct rig rig;
static struct switch_pool pool;
static struct switch_bridge bridge;
static struct switch_port ports[RIG_GUESTS];
static uint64_t now;
static uint8_t bytes[RIG_FRAME_MAX];

/* able: the second guest takes large segments and blank checksums. */
static void start(bool able, uint32_t rate_in)
{
    uint8_t *pages;

    rig_init(&rig, 1, false);
    rig.sides[1].link.gso4 = rig.sides[1].link.checksum4 = able;
    EXPECT(rig_connect(&rig, false) == 0);
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    (void)fake_enter(RIG_BACK);
    now = SECOND;
    pages = memory_pages_alloc(PAGES);
    switch_pool_init(&pool, &switch_pool_grants, &rig.batch);
    for (unsigned i = 0; i < PAGES; i++)
        (void)switch_pool_give(&pool, pages + (size_t)i * PAGE_SIZE,
                               memory_dma_address(pages + (size_t)i * PAGE_SIZE));
    switch_init(&bridge, &pool, 99);
    for (unsigned i = 0; i < RIG_GUESTS; i++) {
        struct switch_port_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)i}};

        config.rate_in.average = i == 1 ? rate_in : 0;
        rig.sides[i].back->port.abilities.mtu = 1500;
        EXPECT(switch_add(&bridge, &ports[i], &rig.sides[i].back->port, &config, now) == 0);
    }
}

static void round_of_all(void)
{
    struct net_packet *p;

    (void)fake_enter(RIG_BACK);
    while (net_back_take(rig.sides[0].back))
        while ((p = net_back_next(rig.sides[0].back))) {
            switch_input(&ports[0], p, now);
            net_packet_put(p);
        }
    switch_flush(&bridge, now);
    for (unsigned i = 0; i < RIG_GUESTS; i++)
        net_back_answer(rig.sides[i].back);
}

/* The first guest sends that much payload by TCP; the slots it took. */
static uint32_t send_tcp(uint32_t payload)
{
    static const uint8_t header[HEADER] = {
        2, 0, 0, 0,  0, 1, 2, 0, 0, 0, 0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0,    0x40, 0, 64, 6, 0, 0, 10,
        0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2, 0, 0, 0, 0,    0, 0, 0, 0, 0x50, 0x10, 1, 0,  0, 0, 0, 0};
    struct rig_frame f = {.seed = 5,
                          .len = HEADER + payload,
                          .first = HEADER,
                          .flags = NETTXF_csum_blank | NETTXF_data_validated,
                          .gso_type = XEN_NETIF_GSO_TYPE_TCPV4,
                          .gso_size = PART};
    uint8_t *page = rig_out(&rig.sides[0], rig.sides[0].next_page % RIG_PAGES);
    uint32_t slots = rig_send(&rig, 0, 0, &f);

    memcpy(page, header, HEADER);
    page[16] = (uint8_t)((40 + payload) >> 8);
    page[17] = (uint8_t)(40 + payload);
    rig_kick(&rig, 0, 0);
    return slots;
}

/* The payload of a frame that was received is that of the one sent, from a place on. */
static bool is_payload(uint32_t at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[HEADER + i] != rig_byte(5, HEADER + at + i))
            return false;
    return true;
}

static void stop(void)
{
    for (unsigned i = 0; i < RIG_GUESTS; i++)
        if (ports[i].bridge)
            switch_remove(&ports[i], now);
    rig_disconnect(&rig);
    EXPECT(pool.free_made == pool.made_count && pool.free_pages == pool.page_count);
}

TEST(large_segments_cross_whole)
{
    struct net_front_frame frame;
    uint32_t slots;

    start(true, 0);
    slots = send_tcp(60000);
    round_of_all();
    EXPECT(rig.batch.calls == 2); /* all heads, then all there is to deliver */
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 60000 + HEADER);
    EXPECT(frame.gso_type == XEN_NETIF_GSO_TYPE_TCPV4 && frame.gso_size == PART);
    EXPECT((frame.flags & NETRXF_csum_blank) && is_payload(0, 60000));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == slots);
    stop();
}

TEST(segments_for_a_guest_that_cannot_take_large_ones)
{
    struct net_front_frame frame;
    uint32_t at = 0, slots;

    start(false, 0);
    slots = send_tcp(60000);
    round_of_all();
    EXPECT(rig.batch.calls == 3); /* and once to fetch what is cut */
    while (at < 60000) {
        uint32_t len = 60000 - at < PART ? 60000 - at : PART;

        EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == (int)(len + HEADER));
        EXPECT(frame.gso_type == 0 && !(frame.flags & NETRXF_csum_blank));
        if (!is_payload(at, len))
            break;
        at += len;
    }
    EXPECT(at == 60000 && rig_quiet(&rig, 1));
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == slots);
    stop();
}

/* A receiver's bandwidth is not its sender's trouble: slots come back at once. */
TEST(who_waits_is_not_the_sender)
{
    struct net_front_frame frame;
    uint32_t slots;

    start(true, 100);
    slots = send_tcp(50000);
    slots += send_tcp(20000);
    slots += send_tcp(20000);
    round_of_all();
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == slots);
    EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 50000 + HEADER && rig_quiet(&rig, 1));
    EXPECT(ports[1].queue.count == 2);

    /* The sender goes; what it sent still comes, when there is bandwidth for it. */
    switch_remove(&ports[0], now);
    net_back_close(rig.sides[0].back);
    EXPECT(net_back_is_drained(rig.sides[0].back));
    for (unsigned i = 0; i < 2; i++) {
        uint64_t deadline = switch_deadline(&bridge, now);

        EXPECT(deadline > now && deadline < now + SECOND);
        now = deadline;
        (void)switch_tick(&bridge, now);
        net_back_answer(rig.sides[1].back);
        EXPECT(rig_receive(&rig, 1, 0, &frame, bytes) == 20000 + HEADER && is_payload(0, 20000));
    }
    EXPECT(switch_deadline(&bridge, now) == SWITCH_NEVER);
    stop();
}
