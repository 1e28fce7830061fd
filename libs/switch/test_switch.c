#include "switch.h"

#include <check.h>

#include "rig.h"

static struct rig_seat *const seats = rig.seats;

static uint64_t in_drops(unsigned n, enum net_drop why)
{
    return seats[n].net.counters.in_drops[why];
}

static uint64_t out_drops(unsigned n, enum net_drop why)
{
    return seats[n].net.counters.out_drops[why];
}

/* How many frames each of the first four seats has got, as digits. */
static unsigned got(void)
{
    return seats[0].got_count * 1000 + seats[1].got_count * 100 + seats[2].got_count * 10 +
           seats[3].got_count;
}

/* Nobody was given an address: the switch knows those that it has seen. */
static void start_unnamed(unsigned count)
{
    rig_start(0);
    for (unsigned n = 0; n < count; n++)
        (void)rig_add(n, &(struct switch_port_config){0});
}

/* ---- learning -------------------------------------------------------------------------------- */

TEST(it_learns)
{
    start_unnamed(4);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 111); /* nobody knows who that is */
    rig_chat(1, rig_mac(0));
    EXPECT(got() == 1111);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 1211);
    EXPECT(seats[0].net.counters.in_packets == 2 && seats[0].net.counters.in_bytes == 120);
    EXPECT(seats[1].net.counters.out_packets == 2 && seats[1].net.counters.out_bytes == 120);
    rig_stop();
}

TEST(what_nobody_has_is_not_for_who_can_only_have_his_own)
{
    rig_start(0);
    (void)rig_add(0, &(struct switch_port_config){0});
    (void)rig_add(
        1, &(struct switch_port_config){.mac = RIG_MAC(1), .filters = SWITCH_NO_MAC_SPOOFING});
    (void)rig_add(2, &(struct switch_port_config){.mac = RIG_MAC(2)});
    rig_chat(0, rig_mac(7));
    EXPECT(got() == 10);
    rig_chat(0, RIG_ALL);
    EXPECT(got() == 120);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 220);
    rig_stop();
}

TEST(broadcast_and_multicast_go_to_all_others)
{
    rig_start(4);
    rig_chat(0, RIG_ALL);
    rig_chat(0, UINT64_C(0x01005e000001));
    EXPECT(got() == 222);
    rig_stop();
}

TEST(a_frame_never_goes_back)
{
    rig_start(2);
    rig_chat(0, rig_mac(9));
    rig_ethernet(rig_mac(0), rig_mac(8), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&seats[0]); /* a second address behind the same port, to the first */
    EXPECT(got() == 100);
    rig_stop();
}

TEST(addresses_are_forgotten_in_time)
{
    start_unnamed(3);
    rig_chat(1, rig_mac(9));
    rig_forget(&seats[0]);
    rig_forget(&seats[2]);
    rig.now += SWITCH_AGE;
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 100);
    rig.now += 1;
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 210);
    rig_chat(1, rig_mac(0)); /* whoever is heard again is known for as long again */
    rig.now += SWITCH_AGE / 2;
    rig_chat(1, rig_mac(0));
    rig.now += SWITCH_AGE / 2 + 2;
    rig_forget(&seats[2]);
    rig_chat(0, rig_mac(1));
    EXPECT(seats[2].got_count == 0);
    rig_stop();
}

TEST(what_was_forgotten_does_not_move)
{
    rig_start(2);
    rig_chat(0, RIG_ALL);
    rig.now += SWITCH_AGE + 1;
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&seats[1]);
    EXPECT(rig.bridge.moves == 0 && rig.bridge.table.shares[0].count == 0);
    rig_stop();
}

TEST(an_address_moves)
{
    rig_start(3);
    rig_chat(0, RIG_ALL);
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&seats[1]);
    EXPECT(rig.bridge.moves == 1);
    rig_forget(&seats[0]);
    rig_forget(&seats[1]);
    rig_chat(2, rig_mac(0));
    EXPECT(seats[0].got_count == 0 && seats[1].got_count == 1);
    rig_stop();
}

/* A guest makes up addresses: it pushes out its own, and nobody else's. */
TEST(a_flood_of_addresses_hurts_its_sender_only)
{
    rig_start(3);
    for (unsigned n = 0; n < 3; n++)
        seats[n].counts_only = true;
    rig_chat(1, RIG_ALL);
    rig_chat(2, RIG_ALL);
    for (unsigned i = 0; i < 20000; i++) {
        rig_ethernet(rig_mac(1), UINT64_C(0x020000000000) + i * 7919u, 0x88b5);
        (void)rig_put(NULL, 46);
        rig_say(&seats[0]);
        seats[1].room = 9;
    }
    EXPECT(rig.bridge.table.shares[0].count == SWITCH_SHARE_GUEST);

    uint64_t before = seats[0].got_bytes;

    seats[2].room = seats[1].room = 9;
    rig_chat(2, rig_mac(1));
    rig_chat(1, rig_mac(2));
    EXPECT(seats[0].got_bytes == before);
    rig_stop();
}

/* Shares of all ports together fit: whoever comes last still gets one. */
TEST(shares_are_promises)
{
    rig_start_pages(0);

    struct switch_port *ports = calloc(SWITCH_PORTS_MAX + 1, sizeof(*ports));
    struct net_port net = {.driver = &rig_driver, .up = true};
    struct switch_port_config uplink = {.uplink = true}, guest = {0};

    rig_must(ports != NULL);
    for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
        EXPECT(switch_add(&rig.bridge, &ports[i], &net, i % 8 ? &guest : &uplink, 0) == 0);
        EXPECT(rig.bridge.table.shares[i].max >= SWITCH_SHARE_GUEST);
    }
    EXPECT(switch_add(&rig.bridge, &ports[SWITCH_PORTS_MAX], &net, &guest, 0) == -XEN_ENOSPC);
    for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
        switch_remove(&ports[i], 0);
    free(ports);
    rig_stop();
}

TEST(a_port_that_went_is_not_sent_to)
{
    rig_start(3);
    rig_chat(1, RIG_ALL);
    rig_remove(&seats[1]);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 1010 + 10); /* the broadcast, then the one that is unknown now */
    rig_stop();
}

TEST(an_address_that_was_given_is_known_before_it_speaks)
{
    rig_start(4);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 100);
    switch_link_down(&seats[1].port);
    seats[1].net.up = false;
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 100 && out_drops(1, NET_DROP_LINK) == 1);
    /* Who speaks under it has it, as far as his filters let him. */
    rig_ethernet(rig_mac(3), rig_mac(1), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&seats[2]);
    EXPECT(got() == 101);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 111);
    rig_stop();
}

TEST(a_link_that_is_down_counts)
{
    start_unnamed(3);
    rig_chat(1, RIG_ALL);
    seats[1].net.up = false;
    rig_chat(0, rig_mac(1));
    EXPECT(out_drops(1, NET_DROP_LINK) == 1);
    switch_link_down(&seats[1].port);
    rig_chat(0, rig_mac(1));
    EXPECT(out_drops(1, NET_DROP_LINK) == 1 && seats[2].got_count == 2);
    rig_chat(1, rig_mac(0));
    EXPECT(in_drops(1, NET_DROP_LINK) == 1);
    rig_stop();
}

TEST(what_is_for_the_next_switch_ends_here)
{
    rig_start(2);
    rig_chat(0, UINT64_C(0x0180c2000000));
    rig_chat(0, UINT64_C(0x0180c200000e));
    EXPECT(got() == 0 && rig.bridge.ended == 2);
    rig_chat(0, UINT64_C(0x0180c2000010));
    EXPECT(got() == 100);
    rig_stop();
}

TEST(what_is_no_frame_is_dropped)
{
    rig_start(2);
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    rig_text.len = 13;
    rig_say(&seats[0]);
    rig_ethernet(RIG_ALL, RIG_ALL, 0x88b5);
    rig_say(&seats[0]);
    rig_ethernet(RIG_ALL, 0, 0x88b5);
    rig_say(&seats[0]);
    EXPECT(got() == 0 && in_drops(0, NET_DROP_MALFORMED) == 3);
    EXPECT(seats[0].net.counters.in_packets == 0);
    rig_stop();
}

/* ---- isolation ------------------------------------------------------------------------------- */

TEST(isolated_ports_see_the_uplink_only)
{
    rig_start_pages(RIG_PAGES);
    for (unsigned n = 0; n < 2; n++)
        (void)rig_add(n, &(struct switch_port_config){.isolated = true});
    (void)rig_add(2, &(struct switch_port_config){.isolated = true, .uplink = true});
    (void)rig_add(3, &(struct switch_port_config){0});
    rig_chat(1, RIG_ALL);
    EXPECT(got() == 11);
    rig_chat(0, rig_mac(1));
    EXPECT(got() == 11 && in_drops(0, NET_DROP_ISOLATED) == 1);
    rig_chat(2, rig_mac(1));
    rig_chat(3, rig_mac(1));
    EXPECT(seats[1].got_count == 2);
    rig_chat(1, rig_mac(2));
    EXPECT(seats[2].got_count == 2);
    rig_stop();
}

/* ---- MTU ------------------------------------------------------------------------------------- */

TEST(what_is_too_long_is_not_sent)
{
    rig_start(3);
    seats[1].net.abilities.mtu = 9000;
    seats[2].net.abilities.scatter = false;
    seats[2].net.abilities.mtu = 9000;
    for (uint32_t len = 1514; len <= 9015; len += len == 1514 ? 1 : 7499) {
        rig_ethernet(RIG_ALL, rig_mac(1), 0x88b5);
        (void)rig_put(NULL, len - 14);
        rig_say(&seats[1]);
    }
    EXPECT(seats[0].got_count == 1 && seats[0].got[0].len == 1514);
    EXPECT(out_drops(0, NET_DROP_TOO_LONG) == 2);
    EXPECT(seats[2].got_count == 2 && out_drops(2, NET_DROP_TOO_LONG) == 1);
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 9000);
    rig_say(&seats[0]);
    EXPECT(seats[1].got_count == 1 && seats[1].got[0].len == 9014);
    rig_stop();
}

/* ---- storms ---------------------------------------------------------------------------------- */

TEST(storms_are_limited)
{
    rig_start_pages(RIG_PAGES);
    (void)rig_add(0, &(struct switch_port_config){.storm = 100});
    (void)rig_add(1, &(struct switch_port_config){0});
    rig_chat(1, RIG_ALL);
    seats[1].counts_only = true;
    for (unsigned i = 0; i < 1000; i++) {
        seats[1].room = 9;
        rig_chat(0, i % 2 ? RIG_ALL : rig_mac(77));
        rig.now += RIG_MS;
    }
    /* A quarter of a second's worth at once, then a hundred in the second. */
    EXPECT(seats[1].got_bytes / 60 >= 124 && seats[1].got_bytes / 60 <= 126);
    EXPECT(in_drops(0, NET_DROP_STORM) == 1000 - seats[1].got_bytes / 60);
    rig_chat(0, rig_mac(1));
    EXPECT(in_drops(0, NET_DROP_STORM) == 1000 - (seats[1].got_bytes - 60) / 60);
    rig_stop();
}
