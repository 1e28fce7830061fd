/* The virtio network driver against a small device in memory. */
#include "virtio_net.h"

#include <rt/clock.h>

#include "card_rig.h"
#include "check.h"
#include "model_virtio_net.h"

static struct virtio_net *v;

static int open_it(void)
{
    struct pci_function f;

    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(virtio_net_hardware.matches(&f));
    int rc = rig_open(&virtio_net_hardware, &f);

    v = (struct virtio_net *)rig.nic;
    return rc;
}

static void start(uint64_t features)
{
    rig_init();
    model_init(features);
    EXPECT(open_it() == 0);
}

static const struct model_frame *last(void)
{
    return &model.sent[(model.sent_count - 1) % MODEL_SENT];
}

static struct net_packet *take(void)
{
    return rig.nic->driver->take(rig.nic);
}

TEST(start_in_order)
{
    start(VIRTIO_NET_WANTED);
    EXPECT(!model.early && model.commands == 1 && rig.nic->port.up);
    EXPECT(memcmp(rig.nic->mac, "\x52\x54\x00\x12\x34\x57", 6) == 0);
    EXPECT(rig.nic->port.abilities.mtu == 9000 && rig.nic->port.abilities.gso6);
    EXPECT(model.queues[0].vector == VIRTIO_NET_IN && model.queues[1].vector == VIRTIO_NET_OUT);
    EXPECT(v->in.free_count == 0);
}

TEST(features_decide_what_guests_may_send)
{
    start(0);
    EXPECT(!rig.nic->port.abilities.checksum4 && !rig.nic->port.abilities.gso4);
    EXPECT(rig.nic->port.up && model.commands == 0);
    start(VIRTIO_NET_F_HOST_TSO4); /* which means nothing without checksums */
    EXPECT(!rig.nic->port.abilities.gso4);
    start(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4);
    EXPECT(rig.nic->port.abilities.gso4 && !rig.nic->port.abilities.gso6);
    /* Longer frames than a buffer are not taken if they cannot go on in the next one. */
    start(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4);
    EXPECT(!(model.accepted & VIRTIO_NET_F_GUEST_TSO4));
    EXPECT(model.accepted & VIRTIO_NET_F_GUEST_CSUM);
}

TEST(devices_that_do_not_start)
{
    rig_init();
    model_init(VIRTIO_NET_WANTED);
    model.refuses = true;
    EXPECT(open_it() == -XEN_ENODEV && !(played.config[4] & PCI_COMMAND_MASTER));
    EXPECT(strstr(fake_log_last(), "does not let frames for others in") != NULL);
    rig_init();
    model_init(VIRTIO_NET_WANTED);
    played_put(0x42, 1, 2);
    EXPECT(open_it() == -XEN_ENODEV && strstr(fake_log_last(), "gets no interrupts") != NULL);
}

TEST(frames_of_all_lengths_go_out)
{
    static const uint32_t lengths[] = {60, 193, 1514, 2049, 9014, 65000};

    start(VIRTIO_NET_WANTED);
    for (uint32_t i = 0; i < 6; i++) {
        rig_make(lengths[i], false, false);
        EXPECT(rig_send(rig_packet(lengths[i]), i & 1 ? 5 : 0) == NET_DROP_NONE);
        rig_flush();
        EXPECT(last()->len == lengths[i] + (i & 1 ? 4 : 0) && last()->header.flags == 0);
        EXPECT(memcmp(last()->bytes, rig.frame, 12) == 0);
        EXPECT(memcmp(last()->bytes + (i & 1 ? 16 : 12), rig.frame + 12, lengths[i] - 12) == 0);
        nic_settle(rig.nic);
        EXPECT(rig.held == 0 && fake_mappings(RIG_BACK) == 0);
    }
}

TEST(work_that_is_left_to_the_device)
{
    start(VIRTIO_NET_WANTED);
    for (unsigned ip6 = 0; ip6 < 2; ip6++) {
        uint16_t l4 = ip6 ? 58 : 38;

        rig_make(30000, ip6, false);
        rig_packet(30000)->checksum = NET_CHECKSUM_BLANK;
        rig.packet.gso = ip6 ? NET_GSO_TCP6 : NET_GSO_TCP4;
        rig.packet.gso_size = 1400;
        EXPECT(rig_send(&rig.packet, 9) == NET_DROP_NONE);
        rig_flush();

        const struct virtio_net_header *h = &last()->header;

        EXPECT(h->flags == VIRTIO_NET_BLANK && h->gso_size == 1400);
        EXPECT(h->gso_type == (ip6 ? VIRTIO_NET_GSO_TCP6 : VIRTIO_NET_GSO_TCP4));
        EXPECT(h->checksum_start == l4 && h->checksum_offset == 16 && h->header_len == l4 + 20);
    }
}

TEST(completions_are_asked_for_before_sleep)
{
    start(VIRTIO_NET_WANTED);
    model.mute = true;
    rig_make(100, false, false);
    EXPECT(rig_send(rig_packet(100), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(rig.held == 1 && rig.nic->driver->arm(rig.nic));
    model.mute = false;
    model_transmit();
    EXPECT(!rig.nic->driver->arm(rig.nic));
    nic_settle(rig.nic);
    EXPECT(rig.held == 0 && rig.nic->driver->arm(rig.nic));
    EXPECT(model_receive(rig.frame, 100, (struct virtio_net_header){0}));
    EXPECT(!rig.nic->driver->arm(rig.nic));
    net_packet_put(take());
}

TEST(frames_come_in)
{
    static const uint32_t lengths[] = {60, 192, 193, 1514, 4084, 4085, 9014, 65000};

    start(VIRTIO_NET_WANTED);
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t len = lengths[round % 8];

        rig_make(len, false, false);
        EXPECT(take() == NULL);
        EXPECT(model_receive(rig.frame, len, (struct virtio_net_header){.flags = VIRTIO_NET_GOOD}));
        struct net_packet *p = take();

        EXPECT(p && rig_is_frame(p, len) && p->checksum == NET_CHECKSUM_GOOD);
        net_packet_put(p);
        nic_settle(rig.nic);
    }
}

TEST(work_that_the_device_leaves_to_us)
{
    start(VIRTIO_NET_WANTED);
    for (unsigned ip6 = 0; ip6 < 2; ip6++) {
        struct virtio_net_header h = {.flags = VIRTIO_NET_BLANK,
                                      .gso_type = ip6 ? VIRTIO_NET_GSO_TCP6
                                                      : VIRTIO_NET_GSO_TCP4 | VIRTIO_NET_GSO_ECN,
                                      .gso_size = 1448,
                                      .checksum_start = ip6 ? 54 : 34,
                                      .checksum_offset = 16};

        rig_make(20000, ip6, false);
        EXPECT(model_receive(rig.frame, 20000, h));
        struct net_packet *p = take();

        EXPECT(p && p->checksum == NET_CHECKSUM_BLANK && p->gso_size == 1448);
        EXPECT(p && p->gso == (ip6 ? NET_GSO_TCP6 : NET_GSO_TCP4));
        net_packet_put(p);
    }
}

static void lies(struct virtio_net_header h, uint32_t len)
{
    uint64_t before = rig.nic->port.counters.in_drops[NET_DROP_MALFORMED];

    rig_make(len, false, false);
    EXPECT(model_receive(rig.frame, len, h));
    EXPECT(take() == NULL);
    EXPECT(rig.nic->port.counters.in_drops[NET_DROP_MALFORMED] == before + 1);
    nic_settle(rig.nic);
}

TEST(headers_that_do_not_fit_their_frames)
{
    const struct virtio_net_header good = {.flags = VIRTIO_NET_BLANK,
                                           .gso_type = VIRTIO_NET_GSO_TCP4,
                                           .gso_size = 1448,
                                           .checksum_start = 34,
                                           .checksum_offset = 16};
    struct virtio_net_header h = good;

    start(VIRTIO_NET_WANTED);
    h.checksum_start = 35;
    lies(h, 3000);
    h = good;
    h.checksum_offset = 6;
    lies(h, 3000);
    h = good;
    h.gso_size = 0;
    lies(h, 3000);
    h = good;
    h.gso_type = VIRTIO_NET_GSO_TCP6;
    lies(h, 3000);
    h = good;
    h.gso_type = 3;
    lies(h, 3000);
    h = good;
    h.flags = 0; /* segments, and a checksum that is said to be there */
    lies(h, 3000);
    lies(good, 20);
    EXPECT(rig.nic->in.free_count + 256 - v->in.free_count == NIC_BUFFERS);
}

static struct virtio_net_header *header_at(struct model_queue *q, uint32_t head)
{
    return model_memory(model_descriptor(q, head)->address);
}

/* Lengths and numbers of buffers are claims, too. */
TEST(a_device_that_lies_about_buffers)
{
    struct model_queue *q = &model.queues[0];

    start(VIRTIO_NET_WANTED);
    model_finish(q, (uint32_t)model_next(q), 5); /* shorter than a header */
    EXPECT(take() == NULL);
    uint32_t head = (uint32_t)model_next(q);

    header_at(q, head)->buffers = 1;
    model_finish(q, head, 1000000);
    EXPECT(take() == NULL);
    model_finish(q, 70000, 100);
    EXPECT(take() == NULL);
    head = (uint32_t)model_next(q);

    /* More buffers than a packet can have: as many are thrown away. */
    header_at(q, head)->buffers = 200;
    model_finish(q, head, 4096);
    for (uint32_t i = 1; i < 200; i++)
        model_finish(q, (uint32_t)model_next(q), 4096);
    EXPECT(take() == NULL);
    nic_settle(rig.nic);
    rig_make(1514, false, false);
    EXPECT(model_receive(rig.frame, 1514, (struct virtio_net_header){0}));
    struct net_packet *p = take();

    EXPECT(p && rig_is_frame(p, 1514));
    net_packet_put(p);
}

TEST(silence_is_ended_by_a_reset)
{
    start(VIRTIO_NET_WANTED);
    model.mute = true;
    rig_make(9000, false, false);
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    fake_clock_advance(2 * NIC_TIMEOUT_NS);
    for (uint32_t i = 0; i <= NIC_LOOKS; i++) {
        (void)nic_tick(rig.nic, clock_now());
        fake_clock_advance(NIC_LOOK_NS);
    }
    EXPECT(rig.held == 0 && rig.nic->resets == 1 && !rig.nic->dead && !model.early);
    model.mute = false;
    EXPECT(rig_send(rig_packet(9000), 0) == NET_DROP_NONE);
    rig_flush();
    EXPECT(model.sent_count == 1 && rig.held == 0);
}

TEST(the_link)
{
    start(VIRTIO_NET_WANTED);
    played.bar[0x2006] = 0;
    rig.nic->driver->irq(rig.nic, VIRTIO_NET_CHANGE);
    EXPECT(!rig.nic->port.up);
    played.bar[0x2006] = 1;
    rig.nic->driver->irq(rig.nic, VIRTIO_NET_CHANGE);
    EXPECT(rig.nic->port.up);
}
