/*
 * One receive ring of an interface: frames get the buffers that the front end
 * has posted, their copies are queued, and when these are done they are answered
 * in ring order, whole frames at a time. Frames that find no buffers wait a while.
 */
#ifndef NET_RX_H
#define NET_RX_H

#include <abi/net.h>

#include <net_batch.h>
#include <net_port.h>
#include <net_redo.h>
#include <ring.h>

/* Of a ring of one page. */
#define NET_RX_SLOTS     256u
/* Frames of one ring that wait for buffers. */
#define NET_RX_WAIT_MAX  64u
#define NET_RX_FRAMES    (NET_RX_SLOTS + NET_RX_WAIT_MAX)
/* Bytes that a front end can have left free in front of each buffer's data. */
#define NET_HEADROOM_MAX 1024u

/* A frame from when it is sent until its buffers are given to the front end. */
struct net_rx_frame {
    _Alignas(16) uint8_t front[16]; /* with a tag: the addresses and it; never over a page */
    struct net_packet *packet;      /* held */
    struct net_tag tag;
    bool failed;       /* a copy could not be done */
    uint8_t slots;     /* filled: its buffers, those for extras included */
    uint8_t extras;    /* so many, behind the first */
    uint16_t headroom; /* of each buffer */
    uint64_t deadline; /* waiting; 0: not set yet */
};

struct net_rx {
    struct ring_back ring;
    struct net_redo_record *redo;
    struct net_batch *batch;
    struct net_counters *counters;
    domid_t peer;
    uint16_t headroom;
    bool notify;      /* the front end tells of new buffers, so that frames can wait */
    bool scatter;     /* a frame may have several buffers */
    bool stalled;     /* it let a frame wait in vain: none waits until it posts again */
    bool broken;      /* its index is none */
    uint32_t oldest;  /* in frames */
    uint32_t filled;  /* their copies are queued */
    uint32_t waiting; /* behind the filled ones */
    struct net_rx_frame frames[NET_RX_FRAMES];
    struct {
        uint16_t id, len;
    } slots[NET_RX_SLOTS]; /* of filled frames, by ring index */
};

/* What a ring serves, and how; redo, adopt and the result as net_tx_attach's. */
struct net_rx_setup {
    struct net_redo_record *redo;
    struct net_batch *batch;
    struct net_counters *counters;
    domid_t peer;
    bool notify, scatter;
    uint16_t headroom;
};
int net_rx_attach(struct net_rx *r, void *page, const struct net_rx_setup *setup, bool adopt);

/* As the port driver's. */
enum net_drop net_rx_send(struct net_rx *r, struct net_packet *packet, struct net_tag tag);

/* Frames that wait get buffers, if there are some now; whether any did. */
bool net_rx_retry(struct net_rx *r);

/* Does the copies and gives the front end its frames. */
void net_rx_flush(struct net_rx *r);

/* Drops what has waited until its deadline; returns the next one, or UINT64_MAX. */
uint64_t net_rx_expire(struct net_rx *r, uint64_t now, uint64_t wait);

/* Lets go of every frame. */
void net_rx_drop(struct net_rx *r);

#endif
