/*
 * One transmit ring of an interface: packets of slots and extras, copied out
 * once, checked, and answered in ring order, whole packets at a time.
 */
#ifndef NET_TX_H
#define NET_TX_H

#include <abi/net.h>

#include <net_packet.h>
#include <net_redo.h>
#include <ring.h>

/* Extras that follow a packet's first slot: one of each kind that there is. */
#define NET_EXTRAS_MAX   8u
#define NET_TX_SLOTS_MAX (NET_SLOTS_MAX + NET_EXTRAS_MAX)
#define NET_HEAD_SPACE   256u

/* A packet's slots, as copied out of the ring. */
struct net_request {
    uint32_t slots;  /* all of them, extras included */
    uint32_t extras; /* bit n: slot n is an extra */
    uint32_t data_count;
    uint16_t ids[NET_TX_SLOTS_MAX]; /* of every slot that has one */
    struct netif_tx_request data[NET_SLOTS_MAX];
    struct netif_extra_info gso, group; /* type 0: none */
};

/* A packet from when it is taken until it is answered. */
struct net_job {
    _Alignas(
        NET_HEAD_SPACE) uint8_t head[NET_HEAD_SPACE]; /* with NET_HEAD_ROOM; never over a page */
    struct net_packet packet;
    struct net_job *next; /* in ring order, or free */
    bool failed;          /* its head could not be copied */
    bool done;            /* nobody holds it */
    int16_t status;
    uint32_t slots, extras;
    uint16_t ids[NET_TX_SLOTS_MAX];
};

struct net_tx {
    struct ring_back ring;
    struct net_redo_record *redo;
    struct net_job *first, *last; /* taken, not answered */
    struct net_job *unread;       /* the first that net_back_next has not looked at */
    uint32_t flying;
};

#endif
