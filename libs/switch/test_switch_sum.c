#include "switch.h"

#include <check.h>

#include "rig_tcp.h"

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

/* Where the head ends, and so where pages begin, changes nothing. */
TEST(sums_of_all_heads)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    for (rig.head_max = 192; rig.head_max < 300; rig.head_max++) {
        rig_forget(&seats[1]);
        seats[1].room = 1;
        put_udp(1001);
        say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
        EXPECT(seats[1].got_count == 1 && seats[1].got[0].len == rig_text.len);
        EXPECT(transport_sum(seats[1].got[0].bytes, 34, 1009, 17) == 0xffff);
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
    put_udp(20);
    rig_text.bytes[39] = 18; /* UDP can end before its packet does */
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(transport_sum(seats[1].got[1].bytes, 34, 18, 17) == 0xffff);
    rig_stop();
}

/* More frames in a round than may wait: they do not have to, there is room at the receiver. */
TEST(a_long_round)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    put_udp(100);
    for (unsigned i = 0; i < 250; i++) {
        struct net_packet *p = rig_packet(&seats[0], 4096);

        p->checksum = NET_CHECKSUM_BLANK;
        rig_input(&seats[0], p);
    }
    rig_flush();
    EXPECT(seats[1].got_count == 250);
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

/* Headers that say something of the whole packet cannot stand in front of each segment. */
TEST(what_is_sealed_is_not_cut)
{
    uint32_t upper;

    start();
    seats[1].room = 0;
    for (uint8_t header = 44; header <= 51; header = (uint8_t)(header + 7)) {
        upper = put_tcp(true, 5000, 0x18);
        rig_text.bytes[20] = header; /* 8 bytes: a fragment that is whole, or authentication */
        memset(rig_text.bytes + upper - 7, 0, 7);
        say(NET_GSO_TCP6, 1400, NET_CHECKSUM_BLANK);
    }
    EXPECT(malformed() == 2);
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
