/*
 * What a frame's head says. Everything in it is the sender's claim; here stands
 * what of it fits into the frame. A head is looked at without its 802.1Q tag.
 */
#ifndef SWITCH_FRAME_H
#define SWITCH_FRAME_H

#include <net_packet.h>

#define FRAME_ETHERNET 14u
#define FRAME_TAG      4u

/* Segments shorter than Linux would ever make are an attempt to make work. */
#define FRAME_GSO_MIN 48u

enum frame_kind { FRAME_OTHER, FRAME_ARP, FRAME_RARP, FRAME_IP4, FRAME_IP6 };

enum {
    FRAME_TYPE_IP4 = 0x0800,
    FRAME_TYPE_ARP = 0x0806,
    FRAME_TYPE_RARP = 0x8035,
    FRAME_TYPE_TAG = 0x8100,
    FRAME_TYPE_IP6 = 0x86dd,
    FRAME_TYPE_TAG_OUTER = 0x88a8,
    FRAME_TYPE_TAG_OLD = 0x9100,
};

enum { FRAME_ICMP = 1, FRAME_TCP = 6, FRAME_UDP = 17, FRAME_ICMP6 = 58 };

enum {
    FRAME_MLD_REPORT = 131,
    FRAME_MLD_DONE = 132,
    FRAME_ND_ROUTER_ASK = 133,
    FRAME_ND_ROUTER = 134,
    FRAME_ND_ASK = 135,
    FRAME_ND_ANSWER = 136,
    FRAME_ND_REDIRECT = 137,
    FRAME_MLD_REPORT2 = 143,
};

enum { FRAME_ARP_ASK = 1, FRAME_ARP_ANSWER = 2, FRAME_RARP_ASK = 3 };

struct switch_frame {
    uint64_t to, from; /* Ethernet addresses, as numbers */
    uint16_t type;
    uint8_t kind;   /* enum frame_kind */
    bool malformed; /* contradicts itself; what follows may be missing */

    bool hidden;      /* a header ends behind the head, so that what follows it is not known */
    bool fragment;    /* part of an IP packet */
    bool later;       /* and not its first */
    bool atomic;      /* has the header of a fragment and is whole */
    bool sealed;      /* has an authentication header: nothing may be changed */
    uint8_t protocol; /* above IP; valid with upper or later */
    uint16_t ip;      /* offsets; 0: there is none, or it is not known: the IP header, */
    uint16_t upper;   /* that of TCP, UDP, ICMP: as much of it as is fixed is in the head, */
    uint16_t data;    /* and what is behind the header of TCP and UDP */
    uint32_t end;     /* of the IP packet: what follows is padding */
    uint16_t from_port, to_port; /* of UDP */
    uint8_t icmp;                /* type, of ICMP */

    /* In the packet's head; NULL: there is none. */
    const uint8_t *ip_from, *ip_to; /* IPv4, IPv6; sender and target of ARP */
    const uint8_t *arp_from;        /* Ethernet address of the sender */
    uint16_t arp_op;
    const uint8_t *nd_target; /* of an ask or an answer of neighbour discovery */
    const uint8_t *nd_link;   /* link-layer address that it speaks of */
};

/* Parses the head. False: this is no Ethernet frame, and nothing is known of it. */
bool switch_frame_parse(const struct net_packet *packet, struct switch_frame *frame);

/* Whether what the packet says beside the frame (segments, checksum) is true of it. */
bool switch_frame_offload_is_sane(const struct net_packet *packet,
                                  const struct switch_frame *frame);

static inline bool switch_frame_is_many(uint64_t mac)
{
    return mac >> 40 & 1;
}

static inline uint16_t switch_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void switch_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint32_t switch_get32(const uint8_t *at)
{
    return (uint32_t)switch_get16(at) << 16 | switch_get16(at + 2);
}

static inline void switch_put32(uint8_t *at, uint32_t value)
{
    switch_put16(at, value >> 16);
    switch_put16(at + 2, value);
}

static inline uint64_t switch_get_mac(const uint8_t *at)
{
    return (uint64_t)switch_get16(at) << 32 | switch_get32(at + 2);
}

#endif
