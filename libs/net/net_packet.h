/*
 * A frame on its way through a net domain, from the port it came in by to those
 * it leaves by. It is not copied on the way: what the domain looks at (the head)
 * stands in private memory, the rest stays where the sender has it.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant.h>

/*
 * Bytes of a frame that are looked at: Ethernet with a VLAN tag, IPv6 with some
 * extension headers, TCP with all its options. What ends later is not understood.
 */
#define NET_HEAD_MAX   192u
/* Room in front of the head, for a tag to be put in. */
#define NET_HEAD_ROOM  8u
/* As many as a stock front end's largest packet has slots. */
#define NET_PIECES_MAX 18u
#define NET_FRAME_MAX  (65535u + 18u)

/* Part of a frame behind its head, in memory of the sender or of this domain; never over a page. */
struct net_piece {
    bool is_local;
    uint16_t offset; /* in the page */
    uint16_t len;
    grant_ref_t ref;     /* not local: granted by packet->owner */
    const uint8_t *page; /* local */
    uint64_t dma;        /* local: the page's address for devices */
};

enum net_gso { NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6 };

/* What is known of the transport checksum. */
enum net_checksum {
    NET_CHECKSUM_UNKNOWN, /* nothing: it stands in the frame, nobody looked */
    NET_CHECKSUM_GOOD,    /* somebody trusted looked, or the frame never left this host */
    NET_CHECKSUM_BLANK,   /* only the pseudo header's sum stands in the frame */
};

struct net_port;

struct net_packet {
    struct net_port *from;
    domid_t owner;     /* of the granted pieces */
    uint8_t gso;       /* enum net_gso */
    uint8_t checksum;  /* enum net_checksum; BLANK whenever there is GSO */
    uint16_t gso_size; /* payload bytes of each segment */
    uint16_t head_len; /* min(len, NET_HEAD_MAX), or more; the switch's own frames: the headers */
    uint16_t piece_count;
    uint16_t refs;   /* holders; the last one's net_packet_put gives it back to its port */
    bool unreadable; /* a receiver could not read a granted piece: the owner's fault */
    uint32_t len;    /* bytes of the frame, head included, without a checksum of Ethernet's */
    uint8_t *head;   /* private, in one page; NET_HEAD_ROOM bytes in front of it are free */
    struct net_piece pieces[NET_PIECES_MAX];
};

static inline void net_packet_get(struct net_packet *p)
{
    p->refs++;
}

/* Ends one holding; the last gives the packet back to the port it came from. */
void net_packet_put(struct net_packet *p);

#endif
