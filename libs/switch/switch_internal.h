/* What the parts of the switch tell each other. */
#ifndef SWITCH_INTERNAL_H
#define SWITCH_INTERNAL_H

#include "switch.h"
#include "switch_frame.h"

#define SWITCH_KIB    1024u
#define SWITCH_SECOND UINT64_C(1000000000)

/*
 * How long a queue may stand still because its receiver has no room: a guest has buffers or
 * does not want any; a slow wire needs its time for one large frame.
 */
#define SWITCH_STUCK_GUEST  (10u * UINT64_C(1000000))
#define SWITCH_STUCK_UPLINK (100u * UINT64_C(1000000))

/* ---- port.c ---- */

bool switch_port_has(const struct switch_port *port, uint16_t vid);

/* It can only have the address that it was given. */
bool switch_port_is_fixed(const struct switch_port *port);

/* Whose the address is by configuration; NULL: nobody's. */
struct switch_port *switch_fixed_find(const struct switch_bridge *bridge, uint64_t mac,
                                      uint16_t vid);

/* ---- filter.c ---- */

/* Whether the port's guest may say what the frame says; addresses may be learned from it. */
enum net_drop switch_filter_check(struct switch_port *port, const struct switch_frame *frame,
                                  uint16_t vid);

/* ---- sum.c ---- */

/* The sum of 16-bit words, added to `sum`; all but the last part have an even length. */
uint64_t switch_sum_add(uint64_t sum, const uint8_t *bytes, uint32_t len);
uint16_t switch_sum_fold(uint64_t sum);

/* Puts the header's checksum of IPv4 in. */
void switch_sum_ip4(uint8_t *ip);

/* The checksum of TCP or UDP: done, or only the pseudo header's part of it. */
void switch_sum_blank(struct net_packet *packet, const struct switch_layout *l);
void switch_sum_finish(struct net_packet *packet, const struct switch_layout *l);

/* ---- queue.c ---- */

/* Bytes on a wire: a frame with segments has their headers as well. */
uint32_t switch_cost(const struct net_packet *packet, const struct switch_layout *l);

/* Sends now or later; counts. */
void switch_queue_send(struct switch_port *to, struct net_packet *packet,
                       const struct switch_frame *frame, struct net_tag tag, uint64_t now);

/* Makes copies of all that is queued, so that nothing of a sender's is held any more. */
void switch_queue_fetch(struct switch_bridge *bridge);
void switch_queue_run(struct switch_port *port, uint64_t now);
void switch_queue_clear(struct switch_port *port, enum net_drop why);
uint64_t switch_queue_deadline(const struct switch_port *port, uint64_t now);

/* Gives a frame to the port's driver, and counts if it takes it. */
enum net_drop switch_port_send(struct switch_port *to, struct net_packet *packet,
                               struct net_tag tag);

static inline bool switch_takes_sum(const struct net_abilities *a, bool is6)
{
    return is6 ? a->checksum6 : a->checksum4;
}

/* ---- cut.c ---- */

/*
 * Sends the next segment of a frame that waits. NET_DROP_NONE: queue.cut has
 * moved on; NET_DROP_NO_BUFFER: nothing has changed; any other: this one is lost.
 */
enum net_drop switch_cut_next(struct switch_port *to, struct switch_made *made, uint64_t now);

static inline uint32_t switch_cut_total(const struct switch_made *made)
{
    return made->packet.len - made->layout.data;
}

#endif
