#include "switch.h"

#include <check.h>

#include "rig_tcp.h"

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

    /* For all: nobody was given the address that it goes to. */
    rig_start(0);
    for (unsigned n = 0; n < 3; n++)
        (void)rig_add(n, &(struct switch_port_config){0});
    seats[1].net.abilities = (struct net_abilities){.scatter = true, .mtu = 1520};
    seats[2].net.abilities.mtu = 1520;
    upper = put_tcp(false, 20000, 0x99);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    check_segments(upper, 20000, false);
    EXPECT(seats[2].got_count == 1 && seats[2].got[0].len == rig_text.len);
    EXPECT(memcmp(seats[2].got[0].bytes, rig_text.bytes, rig_text.len) == 0);
    rig_stop();
}

/* One page for each frame: a receiver like that has no large ones, whatever it says. */
TEST(cut_for_who_takes_single_pages)
{
    uint32_t upper;

    start();
    seats[1].net.abilities.scatter = false;
    upper = put_tcp(false, 20000, 0x99);
    say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    check_segments(upper, 20000, true);
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
    EXPECT(switch_deadline(&rig.bridge, rig.now) == rig.now + SWITCH_STUCK_GUEST);
    for (unsigned i = 0; i < 4; i++) {
        rig_release(&seats[1]);
        seats[1].room = 10;
        rig.now += SWITCH_STUCK_GUEST - 1;
        rig_flush();
    }
    EXPECT(seats[1].got_count == 42);
    check_segments(upper, 60000, false);
    EXPECT(switch_deadline(&rig.bridge, rig.now) == SWITCH_NEVER);
    rig_stop();
}

/* A receiver that takes nothing loses all that waits at once, not one frame after the other. */
TEST(nobody_waits_for_ever)
{
    start();
    seats[1].net.abilities.gso4 = false;
    seats[1].room = 10;
    (void)put_tcp(false, 60000, 0x99);
    for (unsigned i = 0; i < 3; i++)
        say(NET_GSO_TCP4, 1448, NET_CHECKSUM_BLANK);
    rig.now += SWITCH_STUCK_GUEST;
    EXPECT(switch_tick(&rig.bridge, rig.now) == SWITCH_NEVER);
    EXPECT(seats[1].got_count == 10);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_NO_BUFFER] == 3);
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

/* The pages of a copy had other frames in them: what is not overwritten is not sent. */
TEST(a_frame_without_all_its_pieces_is_not_sent)
{
    struct net_packet *p;

    start();
    seats[1].net.abilities.checksum4 = false;
    put_udp(6000);
    seats[1].net.abilities.mtu = 9000;
    p = rig_packet(&seats[0], 4096);
    p->checksum = NET_CHECKSUM_BLANK;
    p->piece_count--;
    rig_input(&seats[0], p);
    rig_flush();
    EXPECT(seats[1].got_count == 0);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_ERROR] == 1);
    rig_stop();
}

TEST(what_waits_must_fit_when_it_goes)
{
    start();
    seats[1].net.abilities.checksum4 = false;
    seats[1].room = 0;
    put_udp(1400);
    say(NET_GSO_NONE, 0, NET_CHECKSUM_BLANK);
    EXPECT(seats[1].port.queue.count == 1);
    seats[1].room = 1;
    seats[1].net.abilities.mtu = 1300;
    rig_flush();
    EXPECT(seats[1].got_count == 0 && seats[1].port.queue.count == 0);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_TOO_LONG] == 1);
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
    if (told) {
        switch_link_down(&seats[1].port);
        EXPECT(seats[1].port.queue.count == 0);
    }
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

/* A sender that goes: nothing of it is held when switch_remove has returned. */
TEST(a_sender_goes_in_the_middle)
{
    struct net_packet *p;

    start();
    seats[1].net.abilities.gso4 = false;
    (void)put_tcp(false, 20000, 0x18);
    p = rig_packet(&seats[0], 4096);
    p->gso = NET_GSO_TCP4;
    p->gso_size = 1448;
    p->checksum = NET_CHECKSUM_BLANK;
    rig_input(&seats[0], p);
    EXPECT(rig.live == 1);
    rig_remove(&seats[0]);
    EXPECT(rig.live == 0 && seats[1].got_count == 14);
    rig_stop();
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
    rig.now += SWITCH_STUCK_UPLINK - 1;
    seats[1].room = 10;
    rig_flush();
    EXPECT(seats[1].got_count == 5);
    for (uint32_t i = 0; i < 5; i++)
        EXPECT(seats[1].got[i].len == 14 + 56 + 20000 + i);
    EXPECT(memcmp(seats[1].got[4].bytes, rig_text.bytes, rig_text.len) == 0);
    rig_stop();
}
