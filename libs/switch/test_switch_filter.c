#include "switch.h"

#include <string.h>

#include <check.h>

#include "rig.h"

/* Seat 0 is looked at, and its guest has MAC 0 and the addresses 10.0.0.2 and 2001:db8::2. */
static struct rig_seat *const guest = &rig.seats[0];

#define IP_MINE  "\x0a\0\0\x02"
#define IP_OTHER "\x0a\0\0\x03"
#define IP_NONE  "\0\0\0\0"
#define IP_ALL   "\xff\xff\xff\xff"

#define IP6_MINE        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
#define IP6_OTHER       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x03"
#define IP6_NONE        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define IP6_LOCAL       "\xfe\x80\0\0\0\0\0\0\x50\x54\0\xff\xfe\0\0\0" /* of MAC 0 */
#define IP6_OTHER_LOCAL "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x07"
#define IP6_ALL         "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"

#define MAC_MINE  "\x52\x54\0\0\0\0"
#define MAC_OTHER "\x52\x54\0\0\0\1"

static void start(const char *filter, const char *ip)
{
    struct switch_port_config config = {.mac = RIG_MAC(0)};

    rig_start_pages(RIG_PAGES);
    rig_must(switch_config_filter(&config, filter) == 0);
    if (ip)
        rig_must(switch_config_ip(&config, ip) == 0);
    (void)rig_add(0, &config);
    (void)rig_add(1, &(struct switch_port_config){.mac = RIG_MAC(1)});
    rig.seats[1].counts_only = true;
}

/* What becomes of the text when seat 0 says it. */
static enum net_drop say(void)
{
    struct net_counters before = guest->net.counters;

    rig.seats[1].room = 9;
    rig_say(guest);
    for (unsigned i = 0; i < NET_DROPS; i++)
        if (guest->net.counters.in_drops[i] != before.in_drops[i])
            return (enum net_drop)i;
    return NET_DROP_NONE;
}

static void ip4(const char *from, const char *to, uint8_t protocol, uint16_t fragment)
{
    uint8_t *ip;

    rig_ethernet(RIG_ALL, rig_mac(0), FRAME_TYPE_IP4);
    ip = rig_put("\x45\0\0\x2c\0\0\0\0\x40", 9);
    (void)rig_put(&protocol, 1);
    (void)rig_put(NULL, 2);
    (void)rig_put(from, 4);
    (void)rig_put(to, 4);
    switch_put16(ip + 6, fragment);
}

static enum net_drop say_udp(const char *from, const char *to, uint16_t from_port, uint16_t to_port,
                             uint16_t fragment)
{
    ip4(from, to, FRAME_UDP, fragment);
    switch_put16(rig_put(NULL, 2), from_port);
    switch_put16(rig_put(NULL, 2), to_port);
    (void)rig_put("\0\x18\0\0", 4);
    (void)rig_put(NULL, 16);
    return say();
}

static enum net_drop say_ip4(const char *from)
{
    return say_udp(from, IP_OTHER, 1000, 2000, 0);
}

static enum net_drop say_arp(uint16_t type, uint16_t op, const char *mac, const char *from,
                             const char *to)
{
    rig_ethernet(RIG_ALL, rig_mac(0), type);
    (void)rig_put("\0\1\x08\0\6\4", 6);
    switch_put16(rig_put(NULL, 2), op);
    (void)rig_put(mac, 6);
    (void)rig_put(from, 4);
    (void)rig_put(NULL, 6);
    (void)rig_put(to, 4);
    (void)rig_put(NULL, 18);
    return say();
}

static void ip6(const char *from, const char *to, uint8_t next, uint16_t len)
{
    uint8_t *ip;

    rig_ethernet(RIG_ALL, rig_mac(0), FRAME_TYPE_IP6);
    ip = rig_put("\x60\0\0\0\0\0\0\xff", 8);
    (void)rig_put(from, 16);
    (void)rig_put(to, 16);
    switch_put16(ip + 4, len);
    ip[6] = next;
}

static enum net_drop say_ip6(const char *from)
{
    ip6(from, IP6_OTHER, FRAME_UDP, 8);
    (void)rig_put("\0\1\0\2\0\x08\0\0", 8);
    return say();
}

/* A message of neighbour discovery with a target and one option. */
static void nd(uint8_t type, const char *target, uint8_t option, const char *mac)
{
    uint8_t message[8] = {type};
    uint8_t header[2] = {option, 1};

    (void)rig_put(message, 8);
    (void)rig_put(target, 16);
    (void)rig_put(header, 2);
    (void)rig_put(mac, 6);
}

static enum net_drop say_nd(uint8_t type, const char *from, const char *target, uint8_t option,
                            const char *mac)
{
    ip6(from, IP6_ALL, FRAME_ICMP6, 32);
    nd(type, target, option, mac);
    return say();
}

static enum net_drop say_icmp6(uint8_t type, const char *from)
{
    uint8_t message[8] = {type};

    ip6(from, IP6_ALL, FRAME_ICMP6, 8);
    (void)rig_put(message, 8);
    return say();
}

/* ---- Ethernet -------------------------------------------------------------------------------- */

static enum net_drop say_mac(uint64_t from)
{
    rig_ethernet(RIG_ALL, from, 0x88b5);
    (void)rig_put(NULL, 46);
    return say();
}

TEST(mac)
{
    start("no-mac-spoofing", NULL);
    EXPECT(say_mac(rig_mac(0)) == NET_DROP_NONE);
    EXPECT(say_mac(rig_mac(1)) == NET_DROP_MAC_SPOOF);
    EXPECT(say_mac(rig_mac(9)) == NET_DROP_MAC_SPOOF);
    EXPECT(rig.bridge.table.shares[0].count == 0);
    rig_stop();
}

/* Nobody can take the address of a port that may not change it, be it at a port without rules. */
TEST(a_fixed_mac_does_not_move)
{
    start("no-mac-spoofing", NULL);
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&rig.seats[1]);
    EXPECT(rig.seats[1].net.counters.in_drops[NET_DROP_MAC_SPOOF] == 1);
    EXPECT(guest->got_count == 0);
    (void)rig_add(2, &(struct switch_port_config){0});
    rig_chat(1, rig_mac(0)); /* known although it never spoke */
    EXPECT(guest->got_count == 1 && rig.seats[2].got_count == 0);
    rig_stop();
}

TEST(the_first_of_two_with_one_mac_has_it)
{
    struct switch_port_config config = {.mac = RIG_MAC(0), .filters = SWITCH_NO_MAC_SPOOFING};

    start("no-mac-spoofing", NULL);
    (void)rig_add(2, &config);
    EXPECT(rig.bridge.collisions == 1 && guest->port.collides && rig.seats[2].port.collides);
    rig_chat(1, rig_mac(0));
    EXPECT(guest->got_count == 1 && rig.seats[2].got_count == 0);
    rig_ethernet(RIG_ALL, rig_mac(0), 0x88b5);
    rig_say(&rig.seats[2]);
    EXPECT(rig.seats[2].net.counters.in_drops[NET_DROP_MAC_SPOOF] == 1);
    rig_remove(guest);
    EXPECT(!rig.seats[2].port.collides);
    rig_chat(1, rig_mac(0));
    EXPECT(rig.seats[2].got_count == 1);
    rig_stop();
}

/* ---- IP -------------------------------------------------------------------------------------- */

TEST(ip_of_a_list)
{
    start("no-ip-spoofing", "10.0.0.2 2001:db8::2");
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_MINE) == NET_DROP_NONE);
    EXPECT(say_ip6(IP6_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_LOCAL) == NET_DROP_NONE);
    EXPECT(say_ip6(IP6_OTHER_LOCAL) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_ALL) == NET_DROP_IP_SPOOF);
    EXPECT(say_arp(FRAME_TYPE_ARP, 1, MAC_OTHER, IP_OTHER, IP_MINE) == NET_DROP_NONE);
    rig_stop();
}

TEST(ip_of_the_first_use)
{
    start("no-ip-spoofing", NULL);
    EXPECT(say_ip4("\x7f\0\0\1") == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4("\xe0\0\0\1") == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_ALL) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);
    EXPECT(say_ip6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01") == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_ALL) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_OTHER_LOCAL) == NET_DROP_NONE); /* one that is not made from the MAC */
    EXPECT(say_ip6("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x08") == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_MINE) == NET_DROP_NONE);
    EXPECT(say_ip6(IP6_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_NONE) == NET_DROP_IP_SPOOF);
    switch_link_down(&guest->port); /* which the guest can cause itself */
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);

    struct switch_port_config config = guest->port.config;

    switch_change(&guest->port, &config, rig.now);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_NONE);
    rig_stop();
}

TEST(what_another_has_is_not_learned)
{
    struct switch_port_config config = {.mac = RIG_MAC(2), .filters = SWITCH_NO_IP_SPOOFING};

    start("no-ip-spoofing", NULL);
    rig_must(switch_config_ip(&config, "10.0.0.3 2001:db8::3") == 0);
    (void)rig_add(2, &config);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);
    rig_stop();
}

TEST(a_guest_may_ask_for_an_address)
{
    start("clean-traffic", "10.0.0.2");
    EXPECT(say_udp(IP_NONE, IP_ALL, 68, 67, 0) == NET_DROP_NONE);
    EXPECT(say_udp(IP_NONE, IP_ALL, 68, 67, 0x2000) == NET_DROP_IP_SPOOF);
    EXPECT(say_udp(IP_NONE, IP_ALL, 69, 67, 0) == NET_DROP_IP_SPOOF);
    EXPECT(say_udp(IP_NONE, IP_ALL, 68, 68, 0) == NET_DROP_IP_SPOOF);
    EXPECT(say_udp(IP_NONE, IP_OTHER, 68, 67, 0) == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_NONE, IP6_LOCAL, 14, MAC_MINE) == NET_DROP_NONE);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_NONE, IP6_OTHER, 14, MAC_MINE) == NET_DROP_IP_SPOOF);
    EXPECT(say_icmp6(FRAME_ND_ROUTER_ASK, IP6_NONE) == NET_DROP_NONE);
    EXPECT(say_icmp6(FRAME_MLD_REPORT2, IP6_NONE) == NET_DROP_NONE);
    ip6(IP6_NONE, IP6_ALL, 0, 16); /* as Linux sends it: with an option for each router */
    (void)rig_put("\x3a\0\5\2\0\0\1\0\x8f\0\0\0\0\0\0\0", 16);
    EXPECT(say() == NET_DROP_NONE);
    EXPECT(say_icmp6(128, IP6_NONE) == NET_DROP_IP_SPOOF);
    rig_stop();
}

TEST(fragments_say_who_they_are_from)
{
    start("clean-traffic", "10.0.0.2 2001:db8::2");
    EXPECT(say_udp(IP_MINE, IP_OTHER, 1, 2, 0x2000) == NET_DROP_NONE);
    rig_text.bytes[17] -= 1; /* more follows what is not whole words of 8 */
    EXPECT(say() == NET_DROP_MALFORMED);
    ip4(IP_MINE, IP_OTHER, FRAME_UDP, 100);
    (void)rig_put(NULL, 26);
    EXPECT(say() == NET_DROP_NONE);
    ip4(IP_OTHER, IP_MINE, FRAME_UDP, 100);
    (void)rig_put(NULL, 26);
    EXPECT(say() == NET_DROP_IP_SPOOF);
    ip4(IP_MINE, IP_OTHER, FRAME_UDP, 0x1fff); /* its end would be behind 65535 */
    (void)rig_put(NULL, 26);
    EXPECT(say() == NET_DROP_MALFORMED);
    ip6(IP6_OTHER, IP6_MINE, 44, 16);
    (void)rig_put("\x11\0\0\x10\0\0\0\1\0\0\0\0\0\0\0\0", 16);
    EXPECT(say() == NET_DROP_IP_SPOOF);
    ip6(IP6_MINE, IP6_OTHER, 44, 16);
    (void)rig_put("\x11\0\0\x10\0\0\0\1\0\0\0\0\0\0\0\0", 16);
    EXPECT(say() == NET_DROP_NONE);
    rig_stop();
}

TEST(what_cannot_be_looked_into_does_not_pass)
{
    start("no-ip-spoofing", "10.0.0.2");
    EXPECT(say_mac(rig_mac(0)) == NET_DROP_IP_SPOOF);
    rig_ethernet(RIG_ALL, rig_mac(0), FRAME_TYPE_TAG_OUTER);
    (void)rig_put("\0\1\x08\0", 4);
    (void)rig_put(NULL, 46);
    EXPECT(say() == NET_DROP_IP_SPOOF);
    ip4(IP_MINE, IP_OTHER, FRAME_UDP, 0); /* shorter than it says */
    EXPECT(say() == NET_DROP_MALFORMED);
    ip6(IP6_LOCAL, IP6_OTHER, 0, 16); /* options for each hop twice */
    (void)rig_put("\0\0\1\4\0\0\0\0\x3b\0\1\4\0\0\0\0", 16);
    EXPECT(say() == NET_DROP_MALFORMED);
    rig_stop();
}

/* ---- ARP ------------------------------------------------------------------------------------- */

TEST(arp)
{
    start("no-arp-spoofing", "10.0.0.2");
    for (uint16_t op = 1; op <= 2; op++) {
        EXPECT(say_arp(FRAME_TYPE_ARP, op, MAC_MINE, IP_MINE, IP_OTHER) == NET_DROP_NONE);
        EXPECT(say_arp(FRAME_TYPE_ARP, op, MAC_MINE, IP_OTHER, IP_MINE) == NET_DROP_IP_SPOOF);
        EXPECT(say_arp(FRAME_TYPE_ARP, op, MAC_OTHER, IP_MINE, IP_OTHER) == NET_DROP_IP_SPOOF);
    }
    EXPECT(say_arp(FRAME_TYPE_ARP, 1, MAC_MINE, IP_NONE, IP_MINE) == NET_DROP_NONE);
    EXPECT(say_arp(FRAME_TYPE_ARP, 2, MAC_MINE, IP_NONE, IP_MINE) == NET_DROP_IP_SPOOF);
    EXPECT(say_arp(FRAME_TYPE_RARP, 3, MAC_MINE, IP_NONE, IP_NONE) == NET_DROP_NONE);
    EXPECT(say_arp(FRAME_TYPE_RARP, 3, MAC_OTHER, IP_NONE, IP_NONE) == NET_DROP_IP_SPOOF);
    EXPECT(say_arp(FRAME_TYPE_RARP, 4, MAC_MINE, IP_NONE, IP_NONE) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_NONE); /* that is the other filter's */
    rig_stop();
}

TEST(arp_learns_the_first_use)
{
    start("clean-traffic", NULL);
    EXPECT(say_arp(FRAME_TYPE_ARP, 1, MAC_MINE, IP_NONE, IP_OTHER) == NET_DROP_NONE);
    EXPECT(say_arp(FRAME_TYPE_ARP, 1, MAC_MINE, IP_MINE, IP_MINE) == NET_DROP_NONE);
    EXPECT(say_arp(FRAME_TYPE_ARP, 1, MAC_MINE, IP_OTHER, IP_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip4(IP_MINE) == NET_DROP_NONE);
    EXPECT(say_ip4(IP_OTHER) == NET_DROP_IP_SPOOF);
    rig_stop();
}

TEST(arp_that_is_not_of_ip_is_not_understood)
{
    start("no-arp-spoofing", "10.0.0.2");
    rig_ethernet(RIG_ALL, rig_mac(0), FRAME_TYPE_ARP);
    (void)rig_put("\0\1\x08\0\6\x10", 6);
    (void)rig_put(NULL, 40);
    EXPECT(say() == NET_DROP_MALFORMED);
    rig_ethernet(RIG_ALL, rig_mac(0), FRAME_TYPE_ARP);
    (void)rig_put("\0\1\x08\0\6\4\0\1", 8);
    EXPECT(say() == NET_DROP_MALFORMED);
    rig_stop();
}

/* ---- neighbour discovery --------------------------------------------------------------------- */

TEST(neighbours)
{
    start("no-arp-spoofing", "2001:db8::2");
    EXPECT(say_nd(FRAME_ND_ANSWER, IP6_MINE, IP6_MINE, 2, MAC_MINE) == NET_DROP_NONE);
    EXPECT(say_nd(FRAME_ND_ANSWER, IP6_LOCAL, IP6_LOCAL, 2, MAC_MINE) == NET_DROP_NONE);
    EXPECT(say_nd(FRAME_ND_ANSWER, IP6_MINE, IP6_OTHER, 2, MAC_MINE) == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_ANSWER, IP6_OTHER, IP6_MINE, 2, MAC_MINE) == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_ANSWER, IP6_MINE, IP6_MINE, 2, MAC_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_MINE, IP6_OTHER, 1, MAC_MINE) == NET_DROP_NONE);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_MINE, IP6_OTHER, 1, MAC_OTHER) == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_OTHER, IP6_MINE, 1, MAC_MINE) == NET_DROP_IP_SPOOF);
    EXPECT(say_ip6(IP6_OTHER) == NET_DROP_NONE); /* that is the other filter's */
    rig_stop();
}

TEST(only_routers_say_they_are)
{
    start("clean-traffic", "2001:db8::2");
    ip6(IP6_LOCAL, IP6_ALL, FRAME_ICMP6, 16);
    (void)rig_put("\x86\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    EXPECT(say() == NET_DROP_IP_SPOOF);
    EXPECT(say_nd(FRAME_ND_REDIRECT, IP6_LOCAL, IP6_MINE, 2, MAC_MINE) == NET_DROP_MALFORMED);
    rig_stop();
    start("no-arp-spoofing", NULL);
    ip6(IP6_LOCAL, IP6_ALL, FRAME_ICMP6, 24);
    (void)rig_put("\x86\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1", 18);
    (void)rig_put(MAC_MINE, 6);
    EXPECT(say() == NET_DROP_NONE);
    memcpy(rig_text.bytes + rig_text.len - 6, MAC_OTHER, 6);
    EXPECT(say() == NET_DROP_IP_SPOOF);
    rig_stop();
}

/* Options twice, of no length, behind what is seen, in fragments: all to hide what is said. */
TEST(neighbours_cannot_hide)
{
    start("no-arp-spoofing", "2001:db8::2");
    ip6(IP6_MINE, IP6_ALL, FRAME_ICMP6, 40);
    nd(FRAME_ND_ANSWER, IP6_MINE, 2, MAC_MINE);
    (void)rig_put("\2\1" MAC_OTHER, 8);
    EXPECT(say() == NET_DROP_MALFORMED);

    ip6(IP6_MINE, IP6_ALL, FRAME_ICMP6, 32);
    nd(FRAME_ND_ANSWER, IP6_MINE, 2, MAC_MINE);
    rig_text.bytes[rig_text.len - 7] = 0;
    EXPECT(say() == NET_DROP_MALFORMED);

    ip6(IP6_MINE, IP6_ALL, FRAME_ICMP6, 24 + 160 + 8);
    nd(FRAME_ND_ANSWER, IP6_MINE, 200, MAC_MINE);
    rig_text.bytes[rig_text.len - 7] = 20;
    (void)rig_put(NULL, 152);
    (void)rig_put("\2\1" MAC_OTHER, 8);
    EXPECT(say() == NET_DROP_IP_SPOOF);

    ip6(IP6_MINE, IP6_ALL, 44, 40);
    (void)rig_put("\x3a\0\0\0\0\0\0\1", 8); /* one fragment that is the whole packet */
    nd(FRAME_ND_ANSWER, IP6_MINE, 2, MAC_MINE);
    EXPECT(say() == NET_DROP_IP_SPOOF);

    ip6(IP6_MINE, IP6_ALL, 60, 200);
    (void)rig_put("\x3a\x14", 2); /* 168 bytes of options in front of it */
    (void)rig_put(NULL, 166);
    nd(FRAME_ND_ANSWER, IP6_OTHER, 2, MAC_OTHER);
    EXPECT(say() == NET_DROP_IP_SPOOF);

    ip6(IP6_MINE, IP6_ALL, 60, 40);
    (void)rig_put("\x3a\0\1\4\0\0\0\0", 8);
    nd(FRAME_ND_ANSWER, IP6_OTHER, 2, MAC_OTHER);
    EXPECT(say() == NET_DROP_IP_SPOOF);

    ip6(IP6_MINE, IP6_ALL, 60, 40);
    (void)rig_put("\x3a\0\1\4\0\0\0\0", 8);
    nd(FRAME_ND_ANSWER, IP6_MINE, 2, MAC_MINE);
    EXPECT(say() == NET_DROP_NONE);
    rig_stop();
}

TEST(an_address_that_is_tried_is_learned)
{
    start("clean-traffic", NULL);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_NONE, IP6_MINE, 14, MAC_MINE) == NET_DROP_NONE);
    EXPECT(say_ip6(IP6_MINE) == NET_DROP_NONE);
    EXPECT(say_nd(FRAME_ND_ASK, IP6_NONE, IP6_OTHER, 14, MAC_MINE) == NET_DROP_IP_SPOOF);
    rig_stop();
}
