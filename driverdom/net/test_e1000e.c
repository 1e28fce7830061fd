/* The 82574L driver against a small one in memory. */
#include "e1000e.h"

#include <rt/clock.h>

#include "card_rig.h"
#include "check.h"
#include "model_e1000e.h"

static struct e1000e *e;

static int open_it(void)
{
    struct pci_function f;

    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(e1000e_hardware.matches(&f));
    int rc = rig_open(&e1000e_hardware, &f);

    e = (struct e1000e *)rig.nic;
    return rc;
}

static void start(void)
{
    rig_init();
    model_init();
    EXPECT(open_it() == 0);
}

static const struct model_frame *last(void)
{
    return &model.sent[(model.sent_count - 1) % MODEL_SENT];
}

TEST(start_in_order)
{
    start();
    EXPECT(model.resets == 1 && !model.master_early);
    EXPECT(memcmp(rig.nic->mac, "\x52\x54\x00\x12\x34\x56", 6) == 0);
    EXPECT((played.config[4] & 6) == 6);
    EXPECT(rig.nic->port.up && rig.nic->speed == 1000);
    EXPECT(model.causes_enabled == (E1000E_CAUSE_RX | E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK));
    EXPECT(model.rx_tail_writes == 2 && model_word(E1000E_RDT) == E1000E_DEPTH - 1);
    for (uint32_t i = 0; i < E1000E_VECTORS; i++)
        EXPECT(mmio_read32(played.bar + 0x3000 + i * 16) == 0xfee00000 &&
               mmio_read32(played.bar + 0x300c + i * 16) == 0);
}

TEST(cards_that_do_not_start)
{
    rig_init();
    model_init();
    model.stuck = true;
    EXPECT(open_it() == -XEN_ENODEV && rig.nic == NULL);
    EXPECT(!(played.config[4] & PCI_COMMAND_MASTER));
    EXPECT(strstr(fake_log_last(), "nic0 (00:04.0): the card does not reset") != NULL);
    rig_init();
    model_init();
    model.gone = true;
    EXPECT(open_it() == -XEN_ENODEV);
    rig_init();
    model_init();
    played_put(0x42, 1, 2); /* two messages */
    EXPECT(open_it() == -XEN_ENODEV);
    EXPECT(strstr(fake_log_last(), "too few messages") != NULL);
}

TEST(short_frames_go_in_one_piece)
{
    static const uint32_t lengths[] = {60, 192, 193, 1514, 2048};

    start();
    for (uint32_t i = 0; i < 5; i++) {
        rig_make(lengths[i], false, false);
        EXPECT(rig_send(rig_packet(lengths[i]), 0) == NET_DROP_NONE);
        rig_flush();
        EXPECT(model.sent_count == i + 1 && last()->len == lengths[i]);
        EXPECT(memcmp(last()->bytes, rig.frame, lengths[i]) == 0);
        EXPECT(!last()->insert_ip && !last()->insert_l4 && !last()->cut);
        EXPECT(rig.held == 0 && rig.nic->out.out_count == 0 && fake_mappings(RIG_BACK) == 0);
    }
}

TEST(many_frames_by_one_word)
{
    static struct net_packet packets[40];

    start();
    rig_make(100, false, false);
    for (uint32_t i = 0; i < 40; i++) {
        packets[i] = *rig_packet(100);
        EXPECT(rig_send(&packets[i], 0) == NET_DROP_NONE);
    }
    EXPECT(model.tail_writes == 1); /* that of the start */
    rig_flush();
    EXPECT(model.tail_writes == 2 && model.sent_count == 40 && rig.held == 0);
}

TEST(long_frames_from_their_sender_s_pages)
{
    start();
    rig_make(65000, false, false);
    EXPECT(rig_send(rig_packet(65000), 0) == NET_DROP_NONE);
    model.mute = true;
    rig_flush();
    EXPECT(rig.held == 1 && fake_grants_mapped(RIG_GUEST) == 16);
    model.mute = false;
    model_transmit();
    nic_settle(rig.nic);
    EXPECT(last()->len == 65000 && memcmp(last()->bytes, rig.frame, 65000) == 0);
    EXPECT(rig.held == 0 && fake_mappings(RIG_BACK) == 0);
}

TEST(tags_are_put_into_frames)
{
    static const uint32_t lengths[] = {100, 1514, 9000};

    start();
    for (uint32_t i = 0; i < 3; i++) {
        rig_make(lengths[i], true, false);
        EXPECT(rig_send(rig_packet(lengths[i]), 0x2005) == NET_DROP_NONE);
        rig_flush();
        EXPECT(last()->len == lengths[i] + 4);
        EXPECT(memcmp(last()->bytes + 12, "\x81\x00\x20\x05", 4) == 0);
        EXPECT(memcmp(last()->bytes + 16, rig.frame + 12, lengths[i] - 12) == 0);
    }
}

TEST(checksums_are_left_to_the_card)
{
    start();
    for (unsigned i = 0; i < 8; i++) {
        bool ip6 = i & 1, udp = i & 2, tagged = i & 4;
        uint32_t l3 = tagged ? 18 : 14, l4 = l3 + (ip6 ? 40 : 20);

        rig_make(900, ip6, udp);
        rig_packet(900)->checksum = NET_CHECKSUM_BLANK;
        EXPECT(rig_send(&rig.packet, tagged ? 7 : 0) == NET_DROP_NONE);
        rig_flush();
        EXPECT(last()->insert_l4 && !last()->insert_ip && !last()->cut);
        EXPECT((last()->context.low >> 32 & 0xff) == l4);
        EXPECT((last()->context.low >> 40 & 0xff) == l4 + (udp ? 6 : 16));
        EXPECT((last()->context.command >> 24 & 1) == !udp);
    }
    /* The same once more needs no other context. */
    uint32_t tail = e->tx_tail;

    rig_packet(900)->checksum = NET_CHECKSUM_BLANK;
    EXPECT(rig_send(&rig.packet, 7) == NET_DROP_NONE);
    rig_flush();
    EXPECT(e->tx_tail == tail + 1);
}

TEST(segments_are_left_to_the_card)
{
    start();
    for (unsigned ip6 = 0; ip6 < 2; ip6++) {
        uint32_t l4 = ip6 ? 54 : 34, payload = l4 + 20;

        rig_make(30000, ip6, false);
        rig_packet(30000)->checksum = NET_CHECKSUM_BLANK;
        rig.packet.gso = ip6 ? NET_GSO_TCP6 : NET_GSO_TCP4;
        rig.packet.gso_size = 1448;
        EXPECT(rig_send(&rig.packet, 0) == NET_DROP_NONE);
        rig_flush();
        EXPECT(last()->cut && last()->insert_l4 && last()->insert_ip == !ip6);
        EXPECT((last()->context.command & 0xfffff) == 30000 - payload);
        EXPECT((last()->context.high >> 8 & 0xff) == payload);
        EXPECT(last()->context.high >> 16 == 1448);
        /* Lengths are the card's to put in, and not in what it sums up. */
        EXPECT(last()->bytes[ip6 ? 18 : 16] == 0 && last()->bytes[ip6 ? 19 : 17] == 0);

        uint32_t sum = 6;

        for (uint32_t i = ip6 ? 22 : 26; i < l4; i += 2)
            sum += (uint32_t)rig.frame[i] << 8 | rig.frame[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        EXPECT(last()->bytes[l4 + 16] == sum >> 8 && last()->bytes[l4 + 17] == (sum & 0xff));
        /* The packet itself, which others may have got, too, is as it was. */
        EXPECT(memcmp(rig.packet.head, rig.frame, rig.packet.head_len) == 0);
    }
}

TEST(a_full_ring_waits)
{
    static struct net_packet packets[NIC_FRAMES - 1]; /* one is the card's own */

    start();
    model.mute = true;
    rig_make(8000, false, false);
    for (uint32_t i = 0; i < NIC_FRAMES - 1; i++) {
        packets[i] = *rig_packet(8000);
        EXPECT(rig_send(&packets[i], 0) == NET_DROP_NONE);
    }
    packets[0] = *rig_packet(8000);
    EXPECT(rig_send(&rig.packet, 0) == NET_DROP_NO_BUFFER);
    rig_flush();
    EXPECT(rig.nic->out.out_count == (E1000E_DEPTH - 1) / 3 && rig.nic->out.waiting);
    model.mute = false;
    model_transmit();
    nic_settle(rig.nic);
    EXPECT(model.sent_count == NIC_FRAMES - 1 && rig.held == 0 && fake_mappings(RIG_BACK) == 0);
}

TEST(completions_interrupt_only_a_sleeper)
{
    start();
    model.mute = true;
    rig_make(100, false, false);
    EXPECT(rig_send(rig_packet(100), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(!(model.causes_enabled & E1000E_CAUSE_TX));
    EXPECT(rig.nic->driver->arm(rig.nic) && (model.causes_enabled & E1000E_CAUSE_TX));
    model.mute = false;
    model_transmit();
    rig.nic->driver->irq(rig.nic, 1);
    EXPECT(!(model.causes_enabled & E1000E_CAUSE_TX));
    nic_settle(rig.nic);
    EXPECT(rig.held == 0);
    EXPECT(rig.nic->driver->arm(rig.nic) && !(model.causes_enabled & E1000E_CAUSE_TX));
}

TEST(a_page_that_cannot_be_read)
{
    static const uint32_t lengths[] = {1514, 9000};

    for (unsigned i = 0; i < 2; i++) {
        start();
        rig_make(lengths[i], false, false);
        fake_grant_table(RIG_GUEST)[100].flags = 0;
        struct net_packet *p = rig_packet(lengths[i]);

        EXPECT(rig_send(p, 0) == NET_DROP_NONE);
        rig_flush();
        EXPECT(model.sent_count == 0 && rig.held == 0 && p->unreadable);
        EXPECT(rig.nic->port.counters.out_packets == 0);
        EXPECT(rig.nic->port.counters.out_drops[NET_DROP_ERROR] == 1);
    }
}

static struct net_packet *take(void)
{
    return rig.nic->driver->take(rig.nic);
}

TEST(frames_come_in)
{
    static const uint32_t lengths[] = {60, 192, 193, 1514, 2048, 2049, 9018};
    uint32_t writes;

    start();
    writes = model.rx_tail_writes;
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t len = lengths[round % 7];

        rig_make(len, false, false);
        EXPECT(take() == NULL);
        EXPECT(model_receive(rig.frame, len, 0));
        struct net_packet *p = take();

        EXPECT(p && rig_is_frame(p, len) && p->refs == 1);
        net_packet_put(p);
        nic_settle(rig.nic);
    }
    EXPECT(model.rx_tail_writes - writes < 20);
    EXPECT(e->nic.in.free_count + E1000E_DEPTH - 1 <= NIC_BUFFERS + 32);
}

TEST(checksums_that_the_card_has_seen)
{
    static const struct {
        uint32_t status;
        uint8_t checksum;
    } rows[] = {
        {0, NET_CHECKSUM_UNKNOWN},
        {E1000E_RX_IP_SEEN, NET_CHECKSUM_UNKNOWN},
        {E1000E_RX_IP_SEEN | E1000E_RX_L4_SEEN, NET_CHECKSUM_GOOD},
        {E1000E_RX_UDP_SEEN, NET_CHECKSUM_GOOD},
        {E1000E_RX_L4_SEEN | E1000E_RX_ERR_L4, NET_CHECKSUM_UNKNOWN},
        {E1000E_RX_L4_SEEN | E1000E_RX_ERR_IP, NET_CHECKSUM_UNKNOWN},
    };

    start();
    rig_make(100, false, false);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT(model_receive(rig.frame, 100, rows[i].status));
        struct net_packet *p = take();

        EXPECT(p && p->checksum == rows[i].checksum);
        net_packet_put(p);
    }
    EXPECT(model_receive(rig.frame, 100, 1u << 31));
    EXPECT(take() == NULL && e->nic.port.counters.in_drops[NET_DROP_ERROR] == 1);
}

/* Frames that guests do not take keep their buffers; what comes then has no room, and no harm. */
TEST(frames_that_are_kept)
{
    static struct net_packet *kept[NIC_BUFFERS];
    uint32_t count = 0;

    start();
    rig_make(1514, false, false);
    while (model_receive(rig.frame, 1514, 0)) {
        EXPECT(count < NIC_BUFFERS);
        kept[count] = take();
        EXPECT(kept[count] != NULL);
        count++;
        nic_settle(rig.nic);
    }
    EXPECT(count > NIC_BUFFERS - 32);
    for (uint32_t i = 0; i < count; i++) {
        EXPECT(rig_is_frame(kept[i], 1514));
        net_packet_put(kept[i]);
    }
    nic_settle(rig.nic);
    EXPECT(model_receive(rig.frame, 1514, 0));
}

TEST(the_cable_is_pulled)
{
    start();
    model.mute = true;
    rig.nic->joined = true;
    rig_make(9000, false, false);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    model.link = false;
    rig.nic->driver->irq(rig.nic, 2);
    EXPECT(!rig.nic->port.up && strstr(fake_log_last(), "nic0: no link") != NULL);
    EXPECT(model_word(0xc0) == ~(E1000E_CAUSE_RX | E1000E_CAUSE_TX));
    /* The sender gets its pages back, and nothing more goes out. */
    (void)nic_tick(rig.nic, clock_now());
    EXPECT(model.resets == 2 && rig.held == 0 && fake_mappings(RIG_BACK) == 0);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_LINK);
    model.link = true;
    model.mute = false;
    rig.nic->driver->irq(rig.nic, 2);
    EXPECT(rig.nic->port.up && strstr(fake_log_last(), "link up, 1000 Mbit/s") != NULL);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(model.sent_count == 1 && rig.held == 0);
}

/* However far the clock has jumped, the card is looked at many times before it is given up. */
static void give_up(void)
{
    fake_clock_advance(NIC_TIMEOUT_NS);
    for (uint32_t i = 0; i < NIC_LOOKS; i++) {
        EXPECT(nic_tick(rig.nic, clock_now()) == clock_now() + NIC_LOOK_NS);
        fake_clock_advance(NIC_LOOK_NS);
    }
    EXPECT(nic_tick(rig.nic, clock_now()) == UINT64_MAX);
}

/* Nobody sends, and nothing comes: the card gets a frame of our own, and is reset if it keeps it.
 */
TEST(a_quiet_card_is_asked_for_a_sign)
{
    start();
    EXPECT(nic_probe_tick(rig.nic, clock_now()) == UINT64_MAX);
    rig.nic->joined = true;
    EXPECT(nic_probe_tick(rig.nic, clock_now()) == clock_now() + NIC_QUIET_NS);
    fake_clock_advance(NIC_QUIET_NS - 1);
    EXPECT(nic_probe_tick(rig.nic, clock_now()) == clock_now() + 1 && model.sent_count == 0);
    fake_clock_advance(1);
    EXPECT(nic_probe_tick(rig.nic, clock_now()) == clock_now() + NIC_QUIET_NS);
    EXPECT(model.sent_count == 1);
    nic_settle(rig.nic);
    EXPECT(rig.nic->out.out_count == 0 && rig.nic->port.counters.out_packets == 0);
    /* That was a sign of life. */
    fake_clock_advance(NIC_QUIET_NS);
    EXPECT(nic_probe_tick(rig.nic, clock_now()) == clock_now() + NIC_QUIET_NS);
    EXPECT(model.sent_count == 1);
    model.mute = true;
    fake_clock_advance(NIC_QUIET_NS);
    (void)nic_probe_tick(rig.nic, clock_now());
    EXPECT(rig.nic->out.out_count == 1);
    EXPECT(nic_tick(rig.nic, clock_now()) == clock_now() + NIC_TIMEOUT_NS);
    give_up();
    EXPECT(rig.nic->resets == 1 && !rig.nic->dead && rig.nic->out.out_count == 0);
    EXPECT(rig.nic->port.counters.out_drops[NET_DROP_ERROR] == 0);
}

TEST(silence_is_ended_by_a_reset)
{
    start();
    EXPECT(nic_tick(rig.nic, clock_now()) == UINT64_MAX);
    model.mute = true;
    rig_make(9000, false, false);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(nic_tick(rig.nic, clock_now()) == clock_now() + NIC_TIMEOUT_NS);
    give_up();
    EXPECT(rig.held == 0 && rig.nic->resets == 1 && !rig.nic->dead && !model.master_early);
    EXPECT(rig.nic->port.counters.out_drops[NET_DROP_ERROR] == 1);
    model.mute = false;
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(model.sent_count == 1 && rig.held == 0);
    EXPECT(model_receive(rig.frame, 1514, 0));
    struct net_packet *p = take();

    EXPECT(p && rig_is_frame(p, 1514));
    net_packet_put(p);
}

TEST(a_card_that_is_gone)
{
    start();
    model.mute = true;
    rig_make(9000, false, false);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    model.gone = true;
    give_up();
    EXPECT(rig.nic->dead && !rig.nic->port.up && rig.held == 0 && fake_mappings(RIG_BACK) == 0);
    EXPECT(!(played.config[4] & PCI_COMMAND_MASTER));
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_LINK);
    nic_settle(rig.nic);
}
