/*
 * The back end of a network interface: takes packets from a front end's transmit
 * rings and puts those that it is sent into its receive rings, with the data
 * going straight from the sender's pages to the receiver's.
 *
 * The caller drives it. A round, after any wake:
 *
 *     for each interface: net_back_take
 *     for each interface: while ((p = net_back_next(b))) the switch gets p
 *     the switch flushes its ports
 *     for each interface: net_back_answer
 *
 * until neither net_back_take nor net_back_answer says that there may be more. The
 * heads of all packets that a round
 * takes are copied by one call, and all that it delivers by one more.
 */
#ifndef NET_BACK_H
#define NET_BACK_H

#include <abi/event.h>
#include <abi/net.h>

#include <net_batch.h>
#include <net_groups.h>
#include <net_port.h>
#include <net_rx.h>
#include <net_tx.h>

#define NET_QUEUES_MAX  4u
/* Packets of one interface that were taken and are not answered; more wait in their ring. */
#define NET_TAKEN_MAX   128u
/* So many a round takes at most, lest one guest keep the domain busy. */
#define NET_BUDGET      64u
/* How long a frame waits for a receiver that has no buffers. */
#define NET_WAIT_NS     10000000ull
/*
 * Of sent packets a front end is told when it is woken for something else, too:
 * by itself it frees them when it sends the next ones. Told at once it is of so
 * many slots or bytes, as senders may wait for those, and after so long of fewer.
 */
#define NET_QUIET_SLOTS 8u
#define NET_QUIET_BYTES 4096u
#define NET_QUIET_NS    5000000ull

/* Guest-physical space that one back end needs, in pages. */
#define NET_BACK_SPACE (NET_QUEUES_MAX * 2u)

/* What a front end asks for when it connects; every value is its claim. */
struct net_link {
    domid_t peer;
    bool rx_copy;   /* request-rx-copy: nothing else is served */
    bool rx_notify; /* feature-rx-notify: without it no frame waits for buffers */
    bool scatter;   /* feature-sg */
    bool gso4, gso6;
    bool checksum4, checksum6; /* not feature-no-csum-offload, feature-ipv6-csum-offload */
    bool multicast_control;    /* request-multicast-control */
    uint32_t xdp_headroom;     /* xdp-headroom */
    uint32_t queue_count;
    struct {
        grant_ref_t tx_ref, rx_ref;
        evtchn_port_t tx_port, rx_port; /* the front end's; the same if it has one for both */
    } queues[NET_QUEUES_MAX];
};

/* The state of answers that are being written, in memory that survives this domain's death. */
struct net_redo {
    struct net_redo_record tx, rx;
};

struct net_queue {
    struct net_tx tx;
    struct net_rx rx;
    evtchn_port_t tx_port, rx_port; /* ours; 0: none; rx_port 0, too: one for both */
    uint64_t tell_at;               /* when answers that wait for company are told of; 0: none do */
    bool tell_due;
};

struct net_back {
    struct net_port port; /* first; abilities.mtu is the caller's to set after init */
    bool connected;
    bool closing;       /* nothing more is taken */
    const char *broken; /* how the front end broke the protocol; NULL: it has not */
    domid_t peer;
    bool scatter, gso4, gso6; /* what the front end takes; abilities may be less */
    uint32_t queue_count;
    struct net_queue queues[NET_QUEUES_MAX];
    struct net_groups groups;
    struct net_batch *batch;
    uint64_t heads_at; /* calls of the batch when the last head was queued */
    uint8_t *space;
    struct gnttab_map_grant_ref ring_maps[NET_QUEUES_MAX * 2];
    struct net_job *free_jobs;
    uint64_t events;
    struct net_job jobs[NET_TAKEN_MAX];
};

/* A name and value of the features offered, as they stand in the store; the last has no name. */
struct net_feature {
    const char *name;
    unsigned value;
};
extern const struct net_feature net_back_features[];

/*
 * Before the first connect. b stands in whole pages of its own; space: NET_BACK_SPACE
 * pages; the batch serves all interfaces of a domain.
 */
void net_back_init(struct net_back *b, void *space, struct net_batch *batch);

/*
 * Connects to a front end: maps its rings, binds its ports (the caller opens
 * those that are not 0). redo: one per queue. adopt: a predecessor served these
 * rings; every peer then gets an event, and multicast is not filtered any more.
 * 0, or an error, with the reason in *why.
 */
int net_back_connect(struct net_back *b, const struct net_link *link, struct net_redo *redo,
                     bool adopt, const char **why);

/* The front end changed these nodes while connected. */
void net_back_headroom(struct net_back *b, uint32_t xdp_headroom);
void net_back_multicast_control(struct net_back *b, bool wanted);

/*
 * Takes what front ends ask, a bounded part of it; gives frames that waited the
 * buffers that came. Whether there was anything, so that more may follow.
 */
bool net_back_take(struct net_back *b);

/* The next frame for the switch, held by the caller (net_packet_put ends that); NULL: none. */
struct net_packet *net_back_next(struct net_back *b);

/*
 * Answers what is done and tells the front end of all that happened in this
 * round; but of a few small packets that were sent, not before NET_QUIET_NS or
 * the next frame for it. True: look again, as no event will come: for a ring that
 * was left alone because too many of its packets were in flight, or for a new
 * deadline of net_back_expire.
 */
bool net_back_answer(struct net_back *b);

/*
 * Before each round: frames and answers that began to wait get their deadline,
 * frames that waited too long are dropped. When to call again at the latest (ns), or UINT64_MAX.
 */
uint64_t net_back_expire(struct net_back *b, uint64_t now);

/* One page of its rings, chosen by `pick`; only while it is connected. */
void *net_back_ring_page(const struct net_back *b, uint64_t pick);

/*
 * Lets go of all frames for this front end and takes nothing more. Drained: nobody
 * holds a packet of this interface either, so that it can be disconnected.
 */
void net_back_close(struct net_back *b);
bool net_back_is_drained(const struct net_back *b);

/* Unmaps the rings and closes the ports. Only when drained. */
void net_back_disconnect(struct net_back *b);

#endif
