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
#define NET_RX_SLOTS    256u
/* Frames of one ring that wait for buffers. */
#define NET_RX_WAIT_MAX 64u
#define NET_RX_FRAMES   (NET_RX_SLOTS + NET_RX_WAIT_MAX)

/* A frame from when it is sent until its buffers are given to the front end. */
struct net_rx_frame {
    struct net_packet *packet; /* held */
    struct net_tag tag;
    bool failed;           /* a copy could not be done */
    uint8_t slots;         /* with extras */
    uint8_t extras;        /* how many, behind the first slot */
    uint64_t deadline;     /* 0: not set yet */
    uint8_t addresses[16]; /* with a tag: what stands in front of the rest of the head */
};

struct net_rx {
    struct ring_back ring;
    struct net_redo_record *redo;
    uint16_t headroom; /* bytes left free in each buffer; then each frame says so */
    bool notify;       /* the front end tells of new buffers */
    bool scatter;      /* a frame may have several buffers */
    bool stalled;      /* it let a frame wait for too long: nothing waits until it posts more */
    uint32_t oldest;   /* of all frames */
    uint32_t filled, waiting;
    struct net_rx_frame frames[NET_RX_FRAMES]; /* in order, from oldest on */
    struct {
        uint16_t id, len;
    } slots[NET_RX_SLOTS]; /* of filled frames, by ring index */
};

#endif
