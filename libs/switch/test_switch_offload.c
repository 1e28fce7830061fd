#include "switch.h"

#include <check.h>

#include "rig.h"

static struct rig_seat *const seats = rig.seats;

/* ---- the test's own, slow idea of checksums ---------------------------------------------------
 */

static uint32_t add_words(uint32_t sum, const uint8_t *at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The sum over pseudo header and `len` bytes from the transport header on: 0xffff if it is right.
 */
static uint32_t transport_sum(const uint8_t *frame, uint32_t upper, uint32_t len, uint8_t protocol)
{
    bool is6 = frame[12] == 0x86;
    uint32_t sum = is6 ? add_words(0, frame + 22, 32) : add_words(0, frame + 26, 8);

    sum = add_words(sum + protocol + len, frame + upper, len);
    return sum;
}

static bool ip4_is_right(const uint8_t *frame)
{
    return add_words(0, frame + 14, (frame[14] & 15u) * 4u) == 0xffff;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 31 + i / 256);
}

static void put_payload(uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = pattern(i);

        (void)rig_put(&byte, 1);
    }
}

/* TCP with 12 bytes of options, from seat 0 to seat 1; its transport header's offset. */
static uint32_t put_tcp(bool is6, uint32_t payload, uint8_t flags)
{
    uint8_t *at;

    if (is6) {
        rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP6);
        at = rig_put("\x60\0\0\0\0\0\x3c\x40", 8); /* options of 8 bytes in front of TCP */
        (void)rig_put("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
        (void)rig_put("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\3", 16);
        (void)rig_put("\6\0\1\4\0\0\0\0", 8);
        switch_put16(at + 4, 8 + 32 + payload);
    } else {
        rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP4);
        at = rig_put("\x46\0\0\0\xff\xfe\x40\0\x40\6\0\0\x0a\0\0\2\x0a\0\0\3\1\1\1\0", 24);
        switch_put16(at + 2, 24 + 32 + payload);
    }

    uint32_t upper = rig_text.len;

    at = rig_put("\0\x50\4\0\xff\xff\xff\0\0\0\0\1\x80\0\1\0\0\0\0\0\1\1\x08\x0a", 24);
    (void)rig_put(NULL, 8);
    at[13] = flags;
    put_payload(payload);
    return upper;
}

static void put_udp(uint32_t payload)
{
    uint8_t *at;

    rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP4);
    at = rig_put("\x45\0\0\0\0\0\x40\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\3", 20);
    switch_put16(at + 2, 28 + payload);
    at = rig_put("\0\1\0\2\0\0\0\0", 8);
    switch_put16(at + 4, 8 + payload);
    put_payload(payload);
}

static void start(void)
{
    rig_start(3);
    for (unsigned n = 0; n < 3; n++)
        seats[n].net.abilities.mtu = 1520;
    rig_chat(1, RIG_ALL);
    rig_forget(&seats[0]);
    rig_forget(&seats[2]);
}

/* The text goes from seat 0 with what it says beside it, in pieces of an odd length. */
static void say(uint8_t gso, uint16_t gso_size, uint8_t checksum)
{
    struct net_packet *p = rig_packet(&seats[0], 4093);

    p->gso = gso;
    p->gso_size = gso_size;
    p->checksum = checksum;
    rig_input(&seats[0], p);
    rig_flush();
}

/* ---- what the receiver takes goes as it is --------------------------------------------------- */

TEST(large_segments_cross_whole)
{
    start();
    (void)put_tcp(false, 60000, 0x18);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 1 && rig.fetches == 0);
    EXPECT(seats[1].got[0].len == rig_text.len && seats[1].got[0].gso_size == 1448);
    EXPECT(seats[1].got[0].checksum == NET_CHECKSUM_BLANK);
    EXPECT(memcmp(seats[1].got[0].bytes, rig_text.bytes, rig_text.len) == 0);
    rig_stop();
}

/* ---- segments -------------------------------------------------------------------------------- */

static void check_headers(const struct rig_frame *f, uint32_t upper, uint32_t i, bool is_last)
{
    bool is6 = f->bytes[12] == 0x86;
    uint8_t flags = f->bytes[upper + 13];

    EXPECT(switch_get32(f->bytes + upper + 4) == 0xffffff00u + i * 1448u);
    EXPECT(!(flags & 0x80) == (i > 0)); /* CWR: the first only; FIN and PSH: the last */
    EXPECT((flags & 9) == (is_last ? 9 : 0));
    if (is6) {
        EXPECT(switch_get16(f->bytes + 18) == f->len - 54);
    } else {
        EXPECT(switch_get16(f->bytes + 16) == f->len - 14 && ip4_is_right(f->bytes));
        EXPECT(switch_get16(f->bytes + 18) == (uint16_t)(0xfffe + i));
    }
}

/* All segments together are the payload, each with a header of its own that is right. */
static void check_segments(uint32_t upper, uint32_t payload, bool blank)
{
    uint32_t data = upper + 32, at = 0;

    for (uint32_t i = 0; i < seats[1].got_count; i++) {
        const struct rig_frame *f = &seats[1].got[i];
        uint32_t want = payload - at < 1448 ? payload - at : 1448;
        uint8_t *field = f->bytes + upper + 16;

        EXPECT(f->len == data + want && f->gso == NET_GSO_NONE);
        if (f->len != data + want)
            return;
        for (uint32_t n = 0; n < want; n++)
            if (f->bytes[data + n] != pattern(at + n)) {
                EXPECT(!"the payload");
                return;
            }
        at += want;
        check_headers(f, upper, i, at == payload);
        EXPECT(f->checksum == (blank ? NET_CHECKSUM_BLANK : NET_CHECKSUM_GOOD));
        if (blank) {
            /* The pseudo header's sum stands there, and nothing else. */
            uint32_t stands = switch_get16(field);
            uint32_t ends = f->len - upper;

            EXPECT(stands == add_words(transport_sum(f->bytes, f->len, 0, 6) + ends, field, 0));
        } else {
            EXPECT(transport_sum(f->bytes, upper, f->len - upper, 6) == 0xffff);
        }
    }
    EXPECT(at == payload);
}

static void cut(bool is6, bool can_sum)
{
    uint32_t upper;

    start();
    seats[1].net.abilities = (struct net_abilities){
        .checksum4 = can_sum, .checksum6 = can_sum, .scatter = true, .mtu = 1528};
    upper = put_tcp(is6, 60001, 0x99);
    say(is6 ? NET_GSO_TCP6 : NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 42 && rig.fetches == 1);
    check_segments(upper, 60001, can_sum);
    EXPECT(seats[1].net.counters.out_packets == 42);
    rig_stop();
}

TEST(cut4)
{
    cut(false, false);
    cut(false, true);
}

TEST(cut6)
{
    cut(true, false);
    cut(true, true);
}

/* Others may get the same frame whole: what one lacks changes nothing for them. */
TEST(cut_for_one_and_whole_for_another)
{
    uint32_t upper;

    rig_start(3);
    seats[1].net.abilities = (struct net_abilities){.scatter = true, .mtu = 1520};
    seats[2].net.abilities.mtu = 1520;
    upper = put_tcp(false, 20000, 0x99);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    check_segments(upper, 20000, false);
    EXPECT(seats[2].got_count == 1 && seats[2].got[0].len == rig_text.len);
    EXPECT(memcmp(seats[2].got[0].bytes, rig_text.bytes, rig_text.len) == 0);
    rig_stop();
}

/* Frames behind one that is cut come behind it. */
TEST(the_order_is_kept)
{
    start();
    seats[1].net.abilities.gso4 = false;
    (void)put_tcp(false, 4000, 0x10);

    struct net_packet *first = rig_packet(&seats[0], 4096);

    first->gso = NET_GSO_TCP4;
    first->gso_size = 1000;
    first->checksum = NET_CHECKSUM_BLANK;
    rig_input(&seats[0], first);
    rig_ethernet(rig_mac(1), rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_input(&seats[0], rig_packet(&seats[0], 4096));
    EXPECT(seats[1].held_count == 0);
    rig_flush();
    EXPECT(seats[1].got_count == 5 && seats[1].got[4].len == 60 && seats[1].got[0].len == 1070);
    rig_stop();
}

/* A device that is busy for longer: segments come as it has room, their pages stay till then. */
TEST(segments_wait_for_room)
{
    uint32_t upper;

    start();
    seats[1].net.abilities = (struct net_abilities){.scatter = true, .mtu = 1520};
    seats[1].keeps = true;
    seats[1].room = 10;
    upper = put_tcp(false, 60000, 0x99);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 10 && rig.live == 0);
    EXPECT(switch_deadline(&rig.bridge, rig.now) == rig.now + SWITCH_STUCK);
    for (unsigned i = 0; i < 4; i++) {
        rig_release(&seats[1]);
        seats[1].room = 10;
        rig.now += SWITCH_STUCK - 1;
        rig_flush();
    }
    EXPECT(seats[1].got_count == 42);
    check_segments(upper, 60000, false);
    EXPECT(switch_deadline(&rig.bridge, rig.now) == SWITCH_NEVER);
    rig_stop();
}

TEST(nobody_waits_for_ever)
{
    start();
    seats[1].net.abilities.gso4 = false;
    seats[1].room = 10;
    (void)put_tcp(false, 60000, 0x99);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    rig.now += SWITCH_STUCK;
    EXPECT(switch_tick(&rig.bridge, rig.now) == SWITCH_NEVER);
    EXPECT(seats[1].got_count == 10);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_NO_BUFFER] == 1);
    EXPECT(rig.pool.free_pages == rig.pool.page_count);
    rig_stop();
}

/* More segments than the pool has heads for: those that are done make room for the others. */
TEST(many_small_segments)
{
    uint64_t sent = 0;

    start();
    seats[1].net.abilities.gso4 = false;
    seats[1].keeps = true;
    (void)put_tcp(false, 60000, 0x10);
    say(NET_GSO_TCP4, 48, NET_CHECKSUM_BLANK);
    while (seats[1].held_count > 0) {
        sent += seats[1].got_count;
        rig_forget(&seats[1]);
        rig_release(&seats[1]);
        seats[1].room = RIG_FRAMES;
        rig_flush();
    }
    EXPECT(sent == 1250 && seats[1].net.counters.out_packets == 1250);
    rig_stop();
}

TEST(a_failed_copy_is_not_sent)
{
    start();
    seats[1].net.abilities.gso4 = false;
    rig.fail_parts = 1;
    (void)put_tcp(false, 60000, 0x10);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 42);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_ERROR] == 1);
    rig_stop();
}

/* Copies of one port cannot take all pages: half of them stay for the others. */
TEST(the_pool_is_shared)
{
    start();
    for (unsigned n = 1; n < 3; n++) {
        seats[n].net.abilities.gso4 = false;
        seats[n].room = 0;
    }
    (void)put_tcp(false, 60000, 0x10);
    for (unsigned i = 0; i < 30; i++)
        say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(rig.pool.free_pages >= rig.pool.page_count / 2);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_NO_BUFFER] == 27);
    rig_chat(2, RIG_ALL);
    seats[2].room = 50;
    (void)put_tcp(false, 60000, 0x10);
    rig_text.bytes[5] = 2;
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[2].got_count == 42);
    rig_stop();
}

/* ---- checksums ------------------------------------------------------------------------------- */

TEST(sums_of_all_lengths)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    for (uint32_t len = 0; len < 1400; len += len < 300 ? 1 : 97) {
        rig_forget(&seats[1]);
        seats[1].room = 1;
        put_udp(len);
        say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
        EXPECT(seats[1].got_count == 1 && seats[1].got[0].checksum == NET_CHECKSUM_GOOD);
        EXPECT(transport_sum(seats[1].got[0].bytes, 34, 8 + len, 17) == 0xffff);
    }
    rig_stop();
}

TEST(padding_is_not_summed)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    put_udp(5);
    (void)rig_put("garbage here", 12);
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 1 && seats[1].got[0].len == 59);
    EXPECT(transport_sum(seats[1].got[0].bytes, 34, 13, 17) == 0xffff);
    rig_stop();
}

/* A sum of 0 would say that there is none. */
TEST(a_sum_of_udp_is_never_zero)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    put_udp(2);
    memset(rig_text.bytes + 42, 0, 2);
    switch_put16(rig_text.bytes + 42,
                 0xffff - transport_sum(rig_text.bytes, 34, 10, 17)); /* the field itself is 0 */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(switch_get16(seats[1].got[0].bytes + 40) == 0xffff);
    rig_stop();
}

TEST(tcp6_sums)
{
    uint32_t upper;

    start();
    seats[1].net.abilities.checksum6 = false;
    upper = put_tcp(true, 1001, 0x18);
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 1);
    EXPECT(transport_sum(seats[1].got[0].bytes, upper, 1033, 6) == 0xffff);
    rig_stop();
}

/* ---- lies ------------------------------------------------------------------------------------ */

static uint64_t malformed(void)
{
    return seats[0].net.counters.in_drops[NET_DROP_MALFORMED];
}

TEST(segments_must_be_true)
{
    uint32_t upper;

    start();
    seats[1].room = 0;
    (void)put_tcp(false, 5000, 0x18);
    say(NET_GSO_TCP6, 1448, NET_CHECKSUM_BLANK);
    say(NET_GSO_TCP4, FRAME_GSO_MIN - 1, NET_CHECKSUM_BLANK);
    say(NET_GSO_TCP4, 0, NET_CHECKSUM_BLANK);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_UNKNOWN);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_GOOD);
    say(NET_GSO_TCP4, 1448, 3);
    say(3, 1448, NET_CHECKSUM_BLANK);
    EXPECT(malformed() == 7);
    (void)put_tcp(false, 5000, 0x1a); /* SYN */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    (void)put_tcp(false, 5000, 0x14); /* RST */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    upper = put_tcp(false, 5000, 0x18);
    rig_text.bytes[upper + 12] = 0x40; /* a header of 16 bytes */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    (void)put_tcp(false, 5000, 0x18);
    rig_text.bytes[20] |= 0x20; /* more fragments */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    (void)put_tcp(false, 5000, 0x18);
    rig_text.bytes[17] -= 1; /* shorter than the frame */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    (void)put_tcp(false, 0, 0x18); /* nothing to cut */
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    put_udp(5000);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(malformed() == 14);
    (void)put_tcp(true, 5000, 0x18);
    say(NET_GSO_TCP6, 1400, NET_CHECKSUM_BLANK);
    EXPECT(malformed() == 14 && seats[1].net.counters.out_drops[NET_DROP_NO_BUFFER] == 1);
    rig_stop();
}

TEST(blank_sums_must_have_a_place)
{
    start();
    rig_ethernet(rig_mac(1), rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 46);
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    put_udp(100);
    rig_text.bytes[23] = 1; /* ICMP */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    put_udp(100);
    rig_text.bytes[39] = 7; /* shorter than its header */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    put_udp(100);
    rig_text.bytes[38] = 1; /* longer than the packet */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    put_udp(100);
    rig_text.bytes[21] = 5; /* a later fragment */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(malformed() == 5 && seats[1].got_count == 0);
    rig_stop();
}

TEST(segments_must_fit_the_receiver)
{
    start();
    (void)put_tcp(false, 20000, 0x18);
    say(NET_GSO_TCP4, 1520 - 56, NET_CHECKSUM_BLANK);
    say(NET_GSO_TCP4, 1520 - 55, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].got_count == 1);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_TOO_LONG] == 1);
    rig_stop();
}

/* A link that has gone since: what waited is lost, and nothing else. */
static void lose_link(bool told)
{
    start();
    seats[1].net.abilities.gso4 = false;
    seats[1].room = 0;
    (void)put_tcp(false, 20000, 0x18);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].port.queue.count == 1);
    seats[1].net.up = false;
    seats[1].room = 99;
    if (told)
        switch_link_down(&seats[1].port);
    rig_flush();
    EXPECT(seats[1].port.queue.count == 0 && rig.pool.free_pages == rig.pool.page_count);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_LINK] == 1);
    rig_stop();
}

TEST(what_waits_for_a_link_that_went)
{
    lose_link(true);
    lose_link(false);
}

/* The wire is busy: frames wait as copies, and their senders have them back at once. */
TEST(an_uplink_that_is_busy)
{
    rig_start_pages(RIG_PAGES);
    (void)rig_add(0, &(struct switch_port_config){.mac = RIG_MAC(0)});
    (void)rig_add(1, &(struct switch_port_config){.uplink = true});
    seats[1].net.abilities.mtu = 1520;
    seats[1].room = 1;
    for (unsigned i = 0; i < 5; i++) {
        (void)put_tcp(false, 20000 + i, 0x18);
        say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    }
    EXPECT(seats[1].got_count == 1 && rig.live == 0 && seats[1].port.queue.count == 4);
    seats[1].room = 10;
    rig_flush();
    EXPECT(seats[1].got_count == 5);
    for (uint32_t i = 0; i < 5; i++)
        EXPECT(seats[1].got[i].len == 14 + 56 + 20000 + i);
    EXPECT(memcmp(seats[1].got[4].bytes, rig_text.bytes, rig_text.len) == 0);
    rig_stop();
}
