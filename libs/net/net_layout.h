/* How a frame lies in receive buffers. Pure. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include <abi/net.h>

#include <net_batch.h>
#include <net_packet.h>
#include <net_port.h>

/* With a tag, the addresses and it stand apart from the rest of the head. */
#define NET_PARTS_MAX (NET_PIECES_MAX + 2u)

/* A frame in order: bytes that are in one piece where they come from. */
struct net_part {
    struct net_place from;
    uint32_t len;
};

struct net_parts {
    uint32_t count;
    struct net_part parts[NET_PARTS_MAX];
};

/* Of a tagged frame: its addresses, the tag. */
#define NET_TAG_LEN   4u
#define NET_FRONT_LEN 16u

/* front: NET_FRONT_LEN bytes that live as long as the parts, for a tagged frame's first ones. */
void net_parts_of(struct net_parts *parts, const struct net_packet *packet, struct net_tag tag,
                  uint8_t *front);

/*
 * Buffers are filled from the front. A copy costs more by its number than by its
 * bytes, so a part that does not fit into the rest of a buffer gets the next one
 * whole; if a frame gets too many buffers so, it is laid without gaps.
 */
struct net_layout {
    uint32_t room; /* of each buffer */
    bool tight;
    uint32_t count;
    uint16_t lens[NET_SLOTS_MAX];
};

/* The buffers for a frame, limit (NET_SLOTS_MAX at most) of them; false: it needs more. */
bool net_layout_choose(struct net_layout *l, const struct net_parts *parts, uint32_t room,
                       uint32_t limit);

/* Lays once more, step by step: how many of the next `left` bytes go into buffer count - 1. */
void net_layout_begin(struct net_layout *l, uint32_t room, bool tight);
uint32_t net_layout_step(struct net_layout *l, uint32_t left);

#endif
