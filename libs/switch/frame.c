/* Reads a frame's head: Ethernet, ARP, IPv4, IPv6 and what stands above them. */
#include "switch_frame.h"

#include <stddef.h>
#include <string.h>

enum { IP6_HOPS = 0, IP6_ROUTING = 43, IP6_FRAGMENT = 44, IP6_AUTH = 51, IP6_OPTIONS = 60 };

/* What is looked at, and up to where it may be. */
struct view {
    const uint8_t *head;
    uint32_t head_len;
    uint32_t end; /* of what is parsed now: the frame, then the IP packet in it */
    struct switch_frame *f;
};

/*
 * `len` bytes at an offset are there to be looked at. If not, the frame is
 * either too short for what it says it is, or they are behind the head.
 */
static bool is_here(struct view *v, uint32_t at, uint32_t len)
{
    if (at + len > v->end)
        v->f->malformed = true;
    else if (at + len > v->head_len)
        v->f->hidden = true;
    else
        return true;
    return false;
}

static bool claim(struct view *v, bool is_true)
{
    if (!is_true)
        v->f->malformed = true;
    return is_true;
}

/* ---- neighbour discovery --------------------------------------------------------------------- */

/* Per message: where its options begin, and which of them says a link-layer address. */
static const struct {
    uint8_t fixed;
    uint8_t option;
    bool has_target;
} nd_messages[] = {
    [FRAME_ND_ROUTER_ASK - FRAME_ND_ROUTER_ASK] = {8, 1, false},
    [FRAME_ND_ROUTER - FRAME_ND_ROUTER_ASK] = {16, 1, false},
    [FRAME_ND_ASK - FRAME_ND_ROUTER_ASK] = {24, 1, true},
    [FRAME_ND_ANSWER - FRAME_ND_ROUTER_ASK] = {24, 2, true},
    [FRAME_ND_REDIRECT - FRAME_ND_ROUTER_ASK] = {40, 2, false},
};

static void parse_nd(struct view *v, uint32_t at)
{
    struct switch_frame *f = v->f;
    unsigned row = f->icmp - (unsigned)FRAME_ND_ROUTER_ASK;

    if (!is_here(v, at, nd_messages[row].fixed))
        return;
    if (nd_messages[row].has_target)
        f->nd_target = v->head + at + 8;
    at += nd_messages[row].fixed;
    while (at < v->end) {
        if (!is_here(v, at, 2))
            return;

        uint32_t len = v->head[at + 1] * 8u;

        if (!claim(v, len > 0) || !is_here(v, at, len))
            return;
        if (v->head[at] == nd_messages[row].option) {
            const uint8_t *link = v->head + at + 2;

            /* Of two addresses nobody knows which one the receiver takes. */
            if (!claim(v, len == 8 && (!f->nd_link || memcmp(f->nd_link, link, 6) == 0)))
                return;
            f->nd_link = link;
        }
        at += len;
    }
}

/* ---- above IP -------------------------------------------------------------------------------- */

static void parse_tcp(struct view *v, uint32_t at)
{
    if (!is_here(v, at, 20))
        return;

    uint32_t len = (v->head[at + 12] >> 4) * 4u;

    v->f->upper = (uint16_t)at;
    if (claim(v, len >= 20) && is_here(v, at, len))
        v->f->data = (uint16_t)(at + len);
}

static void parse_udp(struct view *v, uint32_t at)
{
    if (!is_here(v, at, 8))
        return;

    uint32_t len = switch_get16(v->head + at + 4);

    if (!claim(v, len >= 8 && (v->f->fragment || at + len <= v->end)))
        return;
    v->f->upper = (uint16_t)at;
    v->f->data = (uint16_t)(at + 8);
    v->f->from_port = switch_get16(v->head + at);
    v->f->to_port = switch_get16(v->head + at + 2);
}

static void parse_icmp(struct view *v, uint32_t at)
{
    if (!is_here(v, at, 4))
        return;
    v->f->upper = (uint16_t)at;
    v->f->icmp = v->head[at];
    if (v->f->protocol == FRAME_ICMP6 && v->f->icmp >= FRAME_ND_ROUTER_ASK &&
        v->f->icmp <= FRAME_ND_REDIRECT)
        parse_nd(v, at);
}

static void parse_upper(struct view *v, uint32_t at)
{
    switch (v->f->protocol) {
    case FRAME_TCP: parse_tcp(v, at); break;
    case FRAME_UDP: parse_udp(v, at); break;
    case FRAME_ICMP:
    case FRAME_ICMP6: parse_icmp(v, at); break;
    default: break;
    }
}

/* ---- IP -------------------------------------------------------------------------------------- */

/* A part of a packet, from an offset in it; `more` parts follow. */
static bool parse_fragment(struct view *v, uint32_t offset, bool more, uint32_t len)
{
    v->f->fragment = offset > 0 || more;
    v->f->later = offset > 0;
    return claim(v, offset + len <= 65535u && !(more && (len % 8 != 0 || len == 0)));
}

static void parse_ip4(struct view *v, uint32_t at)
{
    const uint8_t *ip = v->head + at;

    if (!is_here(v, at, 20))
        return;

    uint32_t header = (ip[0] & 15u) * 4u;
    uint32_t total = switch_get16(ip + 2);
    uint32_t part = switch_get16(ip + 6);

    if (!claim(v, ip[0] >> 4 == 4 && header >= 20 && total >= header && at + total <= v->end))
        return;
    v->f->kind = FRAME_IP4;
    v->f->ip = (uint16_t)at;
    v->f->ip_from = ip + 12;
    v->f->ip_to = ip + 16;
    v->f->protocol = ip[9];
    v->f->end = v->end = at + total;
    if (!is_here(v, at, header))
        return;
    if (parse_fragment(v, (part & 0x1fff) * 8u, part & 0x2000, total - header) && !v->f->later)
        parse_upper(v, at + header);
}

/* One header of those between IPv6 and what it carries: its length, or 0: no further. */
static uint32_t parse_extension(struct view *v, uint32_t at, bool is_first)
{
    struct switch_frame *f = v->f;
    const uint8_t *header = v->head + at;
    uint32_t part;

    if (!is_here(v, at, 8))
        return 0;
    switch (f->protocol) {
    case IP6_HOPS: return claim(v, is_first) ? header[1] * 8u + 8u : 0;
    case IP6_AUTH: f->sealed = true; return header[1] * 4u + 8u;
    case IP6_FRAGMENT:
        part = switch_get16(header + 2);
        if (!claim(v, !f->fragment && !f->atomic) ||
            !parse_fragment(v, part & 0xfff8u, part & 1, v->end - at - 8))
            return 0;
        f->atomic = !f->fragment;
        if (f->later)
            f->protocol = header[0];
        return f->later ? 0 : 8;
    default: return header[1] * 8u + 8u;
    }
}

static bool is_extension(uint8_t protocol)
{
    return protocol == IP6_HOPS || protocol == IP6_ROUTING || protocol == IP6_FRAGMENT ||
           protocol == IP6_AUTH || protocol == IP6_OPTIONS;
}

static void parse_ip6(struct view *v, uint32_t at)
{
    const uint8_t *ip = v->head + at;

    if (!is_here(v, at, 40))
        return;

    uint32_t total = 40u + switch_get16(ip + 4);

    if (!claim(v, ip[0] >> 4 == 6 && at + total <= v->end))
        return;
    v->f->kind = FRAME_IP6;
    v->f->ip = (uint16_t)at;
    v->f->ip_from = ip + 8;
    v->f->ip_to = ip + 24;
    v->f->protocol = ip[6];
    v->f->end = v->end = at + total;
    at += 40;
    for (bool is_first = true; is_extension(v->f->protocol); is_first = false) {
        uint32_t len = parse_extension(v, at, is_first);

        if (len == 0 || !is_here(v, at, len))
            return;
        v->f->protocol = v->head[at];
        at += len;
    }
    parse_upper(v, at);
}

static void parse_arp(struct view *v, uint32_t at)
{
    static const uint8_t ethernet_ip4[6] = {0, 1, 8, 0, 6, 4};
    const uint8_t *arp = v->head + at;

    if (!is_here(v, at, 28) || !claim(v, memcmp(arp, ethernet_ip4, 6) == 0))
        return;
    v->f->kind = v->f->type == FRAME_TYPE_ARP ? FRAME_ARP : FRAME_RARP;
    v->f->arp_op = switch_get16(arp + 6);
    v->f->arp_from = arp + 8;
    v->f->ip_from = arp + 14;
    v->f->ip_to = arp + 24;
}

/* ---- all of it ------------------------------------------------------------------------------- */

bool switch_frame_parse(const struct net_packet *packet, struct switch_frame *frame)
{
    struct view v = {
        .head = packet->head, .head_len = packet->head_len, .end = packet->len, .f = frame};

    *frame = (struct switch_frame){.kind = FRAME_OTHER};
    if (packet->head_len < FRAME_ETHERNET || packet->len < packet->head_len ||
        packet->len > NET_FRAME_MAX)
        return false;
    frame->to = switch_get_mac(packet->head);
    frame->from = switch_get_mac(packet->head + 6);
    frame->type = switch_get16(packet->head + 12);
    switch (frame->type) {
    case FRAME_TYPE_IP4: parse_ip4(&v, FRAME_ETHERNET); break;
    case FRAME_TYPE_IP6: parse_ip6(&v, FRAME_ETHERNET); break;
    case FRAME_TYPE_ARP:
    case FRAME_TYPE_RARP: parse_arp(&v, FRAME_ETHERNET); break;
    default: break;
    }
    return true;
}

/* A checksum can be put in: it is TCP's or UDP's, of a whole packet, with the header in sight. */
static bool can_sum(const struct switch_frame *f)
{
    return !f->malformed && !f->fragment && f->data > 0 && f->data <= NET_HEAD_MAX;
}

static bool can_cut(const struct net_packet *p, const struct switch_frame *f)
{
    static const uint8_t kinds[] = {[NET_GSO_TCP4] = FRAME_IP4, [NET_GSO_TCP6] = FRAME_IP6};
    const uint8_t syn_or_reset = 2 | 4;

    return p->gso < sizeof(kinds) && can_sum(f) && f->kind == kinds[p->gso] &&
           f->protocol == FRAME_TCP && !f->atomic && !f->sealed && f->end == p->len &&
           f->data < p->len && p->gso_size >= FRAME_GSO_MIN &&
           (p->head[f->upper + 13] & syn_or_reset) == 0;
}

bool switch_frame_offload_is_sane(const struct net_packet *packet, const struct switch_frame *frame)
{
    if (packet->checksum > NET_CHECKSUM_BLANK)
        return false;
    if (packet->gso != NET_GSO_NONE)
        return packet->checksum == NET_CHECKSUM_BLANK && can_cut(packet, frame);
    return packet->checksum != NET_CHECKSUM_BLANK || can_sum(frame);
}
