/* Whether a guest says who it is. */
#include "switch_internal.h"

#include <string.h>

/*
 * What a filter cannot look into cannot pass it: IP in a second tag, in PPPoE,
 * in LLC. So a port that may not spoof has IP and ARP, and nothing else.
 */
static bool is_understood(const struct switch_frame *f)
{
    return f->kind != FRAME_OTHER;
}

/* ---- addresses of a port --------------------------------------------------------------------- */

static bool is_listed(const struct switch_port *port, bool is6, const uint8_t *ip)
{
    for (unsigned i = 0; i < port->config.address_count; i++) {
        const struct switch_address *a = &port->config.addresses[i];

        if (a->is6 == is6 && memcmp(a->bytes, ip, is6 ? 16 : 4) == 0)
            return true;
    }
    return false;
}

static bool is_link_local(const uint8_t *ip)
{
    return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static bool is_learned(const struct switch_port *port, bool is6, const uint8_t *ip)
{
    const struct switch_owned *o = &port->owned;

    if (!is6)
        return o->has4 && memcmp(o->ip4, ip, 4) == 0;
    return (o->has6 && memcmp(o->ip6, ip, 16) == 0) ||
           (o->has_local && memcmp(o->local, ip, 16) == 0);
}

/* fe80::, and the MAC with its universal bit turned and ff:fe in the middle (RFC 4291). */
static bool is_from_mac(const struct switch_port *port, const uint8_t *ip)
{
    const uint8_t *mac = port->config.mac;
    const uint8_t derived[16] = {0xfe,       0x80,   0,      0,    0,    0,      0,      0,
                                 mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

    return port->mac != 0 && memcmp(ip, derived, 16) == 0;
}

/* Addresses of nobody, of many or of oneself are nobody's to claim. */
static bool is_single(bool is6, const uint8_t *ip)
{
    static const uint8_t zero[15];

    if (!is6)
        return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
    return ip[0] != 0xff && !(memcmp(ip, zero, 15) == 0 && ip[15] <= 1);
}

/* Another port of this VLAN, whose addresses are looked at, has it already. */
static bool is_anothers(const struct switch_port *port, uint16_t vid, bool is6, const uint8_t *ip)
{
    for (unsigned i = 0; i < port->bridge->limit; i++) {
        const struct switch_port *other = port->bridge->ports[i];

        if (other && other != port && switch_port_has(other, vid) &&
            (is_listed(other, is6, ip) || is_learned(other, is6, ip)))
            return true;
    }
    return false;
}

static void learn(struct switch_owned *o, bool is6, const uint8_t *ip)
{
    if (!is6) {
        o->has4 = true;
        memcpy(o->ip4, ip, 4);
    } else if (is_link_local(ip)) {
        o->has_local = true;
        memcpy(o->local, ip, 16);
    } else {
        o->has6 = true;
        memcpy(o->ip6, ip, 16);
    }
}

static bool can_learn(const struct switch_port *port, bool is6, const uint8_t *ip)
{
    const struct switch_owned *o = &port->owned;

    if (port->config.address_count > 0 || !is_single(is6, ip))
        return false;
    if (!is6)
        return !o->has4;
    return is_link_local(ip) ? !o->has_local : !o->has6;
}

static bool is_own(struct switch_port *port, uint16_t vid, bool is6, const uint8_t *ip)
{
    if (is_listed(port, is6, ip) || is_learned(port, is6, ip) || (is6 && is_from_mac(port, ip)))
        return true;
    if (!can_learn(port, is6, ip) || is_anothers(port, vid, is6, ip))
        return false;
    learn(&port->owned, is6, ip);
    return true;
}

/* ---- IP -------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *ip, size_t len)
{
    static const uint8_t zero[16];

    return memcmp(ip, zero, len) == 0;
}

/* A guest that has no address yet asks for one. */
static bool is_dhcp_ask(const struct switch_frame *f)
{
    static const uint8_t all[4] = {255, 255, 255, 255};

    return f->protocol == FRAME_UDP && f->upper != 0 && !f->fragment &&
           memcmp(f->ip_to, all, 4) == 0 && f->from_port == 68 && f->to_port == 67;
}

/* What a guest without an IPv6 address may send: it asks whether one is free, and for routers. */
static bool is_first_words(const struct switch_frame *f)
{
    return f->protocol == FRAME_ICMP6 && f->upper != 0 && !f->fragment &&
           (f->icmp == FRAME_ND_ASK || f->icmp == FRAME_ND_ROUTER_ASK ||
            f->icmp == FRAME_MLD_REPORT || f->icmp == FRAME_MLD_DONE ||
            f->icmp == FRAME_MLD_REPORT2);
}

static bool ip_is_own(struct switch_port *port, const struct switch_frame *f, uint16_t vid)
{
    if (f->kind == FRAME_IP4)
        return is_zero(f->ip_from, 4) ? is_dhcp_ask(f) : is_own(port, vid, false, f->ip_from);
    return is_zero(f->ip_from, 16) ? is_first_words(f) : is_own(port, vid, true, f->ip_from);
}

/* ---- ARP and neighbour discovery ------------------------------------------------------------- */

static bool arp_is_own(struct switch_port *port, const struct switch_frame *f, uint16_t vid)
{
    if (switch_get_mac(f->arp_from) != port->mac)
        return false;
    if (f->kind == FRAME_RARP)
        return f->arp_op == FRAME_RARP_ASK; /* "I am here", after a migration */
    if (is_zero(f->ip_from, 4))
        return f->arp_op == FRAME_ARP_ASK; /* is this address free? */
    return is_own(port, vid, false, f->ip_from);
}

static bool is_nd(const struct switch_frame *f)
{
    return f->protocol == FRAME_ICMP6 && f->icmp >= FRAME_ND_ROUTER_ASK &&
           f->icmp <= FRAME_ND_REDIRECT;
}

static bool nd_is_own(struct switch_port *port, const struct switch_frame *f, uint16_t vid)
{
    bool is_host = port->config.filters & SWITCH_NO_IP_SPOOFING;

    /* Its options can be behind what is seen; and in fragments it is forbidden (RFC 6980). */
    if (f->hidden || f->fragment || f->atomic)
        return false;
    if (f->nd_link && switch_get_mac(f->nd_link) != port->mac && f->icmp != FRAME_ND_REDIRECT)
        return false;
    if (!is_zero(f->ip_from, 16) && !is_own(port, vid, true, f->ip_from))
        return false;
    switch (f->icmp) {
    case FRAME_ND_ASK:
        return !is_zero(f->ip_from, 16) || (f->nd_target && is_own(port, vid, true, f->nd_target));
    case FRAME_ND_ANSWER: return f->nd_target && is_own(port, vid, true, f->nd_target);
    case FRAME_ND_ROUTER_ASK: return true;
    default: return !is_host; /* routers forward others' packets: this one may not */
    }
}

static bool neighbour_is_own(struct switch_port *port, const struct switch_frame *f, uint16_t vid)
{
    switch (f->kind) {
    case FRAME_ARP:
    case FRAME_RARP: return arp_is_own(port, f, vid);
    case FRAME_IP6:
        if (f->hidden && f->upper == 0 && !f->later)
            return false; /* it could be anything */
        return !is_nd(f) || nd_is_own(port, f, vid);
    default: return true;
    }
}

enum net_drop switch_filter_check(struct switch_port *port, const struct switch_frame *f,
                                  uint16_t vid)
{
    uint8_t filters = port->config.filters;

    if ((filters & SWITCH_NO_MAC_SPOOFING) && f->from != port->mac)
        return NET_DROP_MAC_SPOOF;
    if (!(filters & (SWITCH_NO_IP_SPOOFING | SWITCH_NO_ARP_SPOOFING)))
        return NET_DROP_NONE;
    if (f->malformed)
        return NET_DROP_MALFORMED;
    if (!is_understood(f))
        return NET_DROP_IP_SPOOF;
    if ((filters & SWITCH_NO_ARP_SPOOFING) && !neighbour_is_own(port, f, vid))
        return NET_DROP_IP_SPOOF;
    if ((filters & SWITCH_NO_IP_SPOOFING) && f->kind != FRAME_ARP && f->kind != FRAME_RARP &&
        !ip_is_own(port, f, vid))
        return NET_DROP_IP_SPOOF;
    return NET_DROP_NONE;
}
