/*
 * A small front end of a network interface, for tests and tiny guests: a pair of
 * rings, slots written one by one. What it grants, and how it tells the back end
 * of it, is the caller's affair.
 */
#ifndef NET_FRONT_H
#define NET_FRONT_H

#include <abi/event.h>
#include <abi/net.h>

#include <ring.h>

struct net_front {
    struct ring_front tx, rx;
    evtchn_port_t tx_port, rx_port; /* the same: one for both */
};

/* A frame that came in: its buffers, in order. */
struct net_front_frame {
    uint16_t flags;   /* of the first response */
    uint8_t gso_type; /* XEN_NETIF_GSO_TYPE_ */
    uint16_t gso_size;
    uint16_t headroom; /* as told in an extra */
    bool failed;       /* there is nothing in it */
    uint32_t slots;    /* with extras */
    uint32_t count;
    struct {
        uint16_t id, offset, len;
    } buffers[NET_SLOTS_MAX];
    uint32_t spare_count; /* buffers that extras stand for: unused, to be posted again */
};

/* Makes fresh rings in a page each; the ports are unbound ones for the back end. */
void net_front_init(struct net_front *f, void *tx_page, void *rx_page, evtchn_port_t tx_port,
                    evtchn_port_t rx_port);

static inline uint32_t net_front_tx_room(const struct net_front *f)
{
    return ring_front_room(&f->tx);
}

static inline uint32_t net_front_rx_room(const struct net_front *f)
{
    return ring_front_room(&f->rx);
}

/* Queue a packet's slots, one by one, only if there is room; its first says the whole size. */
void net_front_slot(struct net_front *f, const struct netif_tx_request *slot);
void net_front_extra(struct net_front *f, const struct netif_extra_info *extra);

/* Posts a buffer: a granted page, writable. Only if there is room. */
void net_front_post(struct net_front *f, uint16_t id, grant_ref_t ref);

/* Publishes what was queued and wakes the back end if it wants to be woken. */
void net_front_kick(struct net_front *f);

/*
 * The next slot's answer. 1: there is one, 0: none (and the back end sends an
 * event with the next), -XEN_EIO: the back end breaks the protocol.
 */
int net_front_answer(struct net_front *f, struct netif_tx_response *response);

/* The next frame; likewise. */
int net_front_receive(struct net_front *f, struct net_front_frame *frame);

#endif
