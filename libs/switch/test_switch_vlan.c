#include "switch.h"

#include <check.h>

#include "rig.h"

static struct rig_seat *const seats = rig.seats;

static void add(unsigned n, const char *vlan)
{
    struct switch_port_config config = {.mac = RIG_MAC(n), .uplink = !vlan};

    if (vlan)
        rig_must(switch_config_vlan(&config, vlan) == 0);
    (void)rig_add(n, &config);
}

/* Says a broadcast with so many tags, outermost first. */
static void say(unsigned n, unsigned tags, uint16_t tci, uint16_t inner)
{
    uint16_t tcis[2] = {tci, inner};

    rig_ethernet(RIG_ALL, rig_mac(n), tags ? FRAME_TYPE_TAG : 0x88b5);
    for (unsigned i = 0; i < tags; i++) {
        uint8_t *at = rig_put(NULL, 4);

        switch_put16(at, tcis[i]);
        switch_put16(at + 2, i + 1 < tags ? FRAME_TYPE_TAG : 0x88b5);
    }
    (void)rig_put("payload", 7);
    (void)rig_put(NULL, 39);
    for (unsigned i = 0; i < RIG_SEATS; i++)
        rig_forget(&seats[i]);
    rig_say(&seats[n]);
}

static bool got_tagged(unsigned n, uint16_t tci)
{
    const struct rig_frame *f = &seats[n].got[0];

    return seats[n].got_count == 1 && f->tag.present && f->tag.tci == tci && f->len == 60 &&
           memcmp(f->bytes + 12, "\x88\xb5payload", 9) == 0;
}

static bool got_plain(unsigned n)
{
    const struct rig_frame *f = &seats[n].got[0];

    return seats[n].got_count == 1 && !f->tag.present && f->len == 60 &&
           memcmp(f->bytes + 12, "\x88\xb5payload", 9) == 0;
}

static bool got_nothing(unsigned n)
{
    return seats[n].got_count == 0;
}

static bool refused(unsigned n, uint64_t times)
{
    return seats[n].net.counters.in_drops[NET_DROP_VLAN] == times;
}

/* 0: in VLAN 5; 1: in 6; 2: trunk of both; 3: trunk of 5, without a tag in 6; 4: uplink. */
static void start(void)
{
    rig_start_pages(RIG_PAGES);
    add(0, "5");
    add(1, "6");
    add(2, "trunk 5,6");
    add(3, "trunk 5 native 6");
    add(4, NULL);
}

TEST(a_port_in_a_vlan)
{
    start();
    say(0, 0, 0, 0);
    EXPECT(got_nothing(1) && got_tagged(2, 5) && got_tagged(3, 5) && got_tagged(4, 5));
    say(1, 0, 0, 0);
    EXPECT(got_nothing(0) && got_tagged(2, 6) && got_plain(3) && got_tagged(4, 6));
    rig_stop();
}

TEST(a_trunk)
{
    start();
    say(2, 1, 5, 0);
    EXPECT(got_plain(0) && got_nothing(1) && got_tagged(3, 5) && got_tagged(4, 5));
    say(2, 1, 7, 0);
    EXPECT(got_nothing(4) && refused(2, 1));
    say(2, 0, 0, 0);
    EXPECT(got_nothing(4) && refused(2, 2));
    say(3, 0, 0, 0);
    EXPECT(got_plain(1) && got_tagged(2, 6) && got_tagged(4, 6));
    say(3, 1, 6, 0);
    EXPECT(refused(3, 1)); /* its own only without a tag */
    rig_stop();
}

TEST(an_uplink_has_all)
{
    start();
    say(4, 1, 6, 0);
    EXPECT(got_nothing(0) && got_plain(1) && got_tagged(2, 6) && got_plain(3));
    say(4, 0, 0, 0);
    EXPECT(got_nothing(0) && got_nothing(1) && got_nothing(2) && got_nothing(3));
    (void)rig_add(5, &(struct switch_port_config){.mac = RIG_MAC(5)});
    say(4, 0, 0, 0);
    EXPECT(got_plain(5));
    say(4, 1, 4095, 0);
    EXPECT(refused(4, 1));
    rig_stop();
}

TEST(a_port_without_vlans_may_not_tag)
{
    start();
    (void)rig_add(5, &(struct switch_port_config){.mac = RIG_MAC(5)});
    say(5, 1, 5, 0);
    EXPECT(refused(5, 1) && got_nothing(0));
    say(0, 1, 5, 0);
    say(0, 1, 6, 0);
    EXPECT(refused(0, 2) && got_nothing(4));
    rig_stop();
}

TEST(a_priority_is_kept)
{
    start();
    say(0, 1, 0xe000, 0);
    EXPECT(got_tagged(4, 0xe005) && got_tagged(2, 0xe005));
    say(4, 1, 0xa005, 0);
    EXPECT(got_plain(0) && got_tagged(2, 0xa005));
    rig_stop();
}

/* A second tag behind a first that is taken out must not choose a VLAN elsewhere. */
TEST(no_hop_by_two_tags)
{
    start();
    (void)rig_add(5, &(struct switch_port_config){.mac = RIG_MAC(5)});
    say(5, 2, 0, 6); /* the uplink's untagged frames are those of seat 5 */
    EXPECT(got_nothing(4));
    EXPECT(seats[4].net.counters.out_drops[NET_DROP_VLAN] == 1);
    say(3, 2, 0, 5);
    EXPECT(got_nothing(1) && seats[4].got_count == 1 && seats[4].got[0].tag.tci == 6);
    say(2, 2, 5, 6);
    EXPECT(got_nothing(0) && seats[4].got_count == 1 && seats[4].got[0].tag.tci == 5);
    rig_stop();
}

TEST(addresses_are_learned_for_each_vlan)
{
    start();
    say(0, 0, 0, 0);
    say(1, 0, 0, 0);
    for (unsigned i = 0; i < RIG_SEATS; i++)
        rig_forget(&seats[i]);
    /* Seat 0's address is nobody's in VLAN 6: all of them get it. */
    rig_chat(1, rig_mac(0));
    EXPECT(got_nothing(0) && seats[4].got_count == 1 && seats[2].got_count == 1);
    rig_stop();
}

TEST(the_same_mac_in_two_vlans_is_fine)
{
    struct switch_port_config config = {.mac = RIG_MAC(0), .filters = SWITCH_NO_MAC_SPOOFING};

    start();
    rig_must(switch_config_vlan(&config, "6") == 0);
    (void)rig_add(5, &config);
    EXPECT(!seats[5].port.collides && rig.bridge.collisions == 0);
    rig_must(switch_config_vlan(&config, "5") == 0);
    switch_change(&seats[5].port, &config, rig.now);
    EXPECT(seats[5].port.collides && seats[0].port.collides && rig.bridge.collisions == 1);
    rig_stop();
}

/* Each VLAN has its own owner of the address. */
TEST(fixed_addresses_are_of_a_vlan)
{
    struct switch_port_config config = {.mac = RIG_MAC(9), .filters = SWITCH_NO_MAC_SPOOFING};

    rig_start_pages(RIG_PAGES);
    for (unsigned n = 0; n < 4; n++) {
        rig_must(switch_config_vlan(&config, n % 2 ? "6" : "5") == 0);
        (void)rig_add(n, &config);
        config.mac[5] = n == 1 ? 8 : config.mac[5];
        config.filters = n == 1 ? 0 : config.filters;
    }
    for (unsigned n = 2; n < 4; n++) {
        rig_ethernet(rig_mac(9), rig_mac(8), 0x88b5);
        (void)rig_put(NULL, 46);
        rig_say(&seats[n]);
        EXPECT(seats[n % 2].got_count == 1);
    }
    rig_stop();
}

/* What was learned in a VLAN is not used when the port has left it. */
TEST(a_port_changes_its_vlan)
{
    struct switch_port_config config = {.mac = RIG_MAC(0)};

    start();
    say(0, 0, 0, 0);
    rig_must(switch_config_vlan(&config, "6") == 0);
    switch_change(&seats[0].port, &config, rig.now);
    rig_forget(&seats[4]);
    rig_ethernet(rig_mac(0), rig_mac(2), FRAME_TYPE_TAG);
    (void)rig_put("\0\5\x88\xb5", 4);
    (void)rig_put(NULL, 46);
    rig_say(&seats[2]);
    EXPECT(got_nothing(0) && seats[4].got_count == 1);
    rig_stop();
}
