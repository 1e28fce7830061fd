/*
 * One transmit ring of an interface: its packets from when they are taken until
 * they are answered, which is in ring order and by whole packets.
 */
#ifndef NET_TX_H
#define NET_TX_H

#include <net_packet.h>
#include <net_redo.h>
#include <net_request.h>

#define NET_HEAD_SPACE 256u

/* A packet that was taken and is not answered. */
struct net_job {
    /* NET_HEAD_ROOM, then the head; never over a page. */
    _Alignas(NET_HEAD_SPACE) uint8_t head[NET_HEAD_SPACE];
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
    struct net_job *first, *last;
    struct net_job *unread; /* the first that nobody was given */
    uint32_t flying;
    uint32_t quiet_bytes; /* of answered packets that the front end was not told of */
};

/*
 * Attaches to a ring page that a front end set up, or that a predecessor served:
 * then (adopt) an answer that was begun is finished. 0, or -XEN_EIO: the peer
 * breaks the protocol.
 */
int net_tx_attach(struct net_tx *t, void *page, struct net_redo_record *redo, bool adopt);

void net_tx_push(struct net_tx *t, struct net_job *job);

/* Answers the packets that are done, up to the first that is not; returns them in *free. */
void net_tx_answer(struct net_tx *t, struct net_job **free);

_Static_assert(NET_HEAD_ROOM + NET_HEAD_MAX <= NET_HEAD_SPACE, "room for the head");

#endif
