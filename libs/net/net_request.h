/* A packet's transmit slots: copied out of the ring, then checked. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include <abi/net.h>

#include <net_redo.h>
#include <ring.h>

struct net_request {
    uint32_t slots;  /* all of them, extras included */
    uint32_t extras; /* bit n: slot n is an extra */
    uint32_t data_count;
    uint16_t ids[NET_TX_SLOTS_MAX]; /* of the slots that are no extras */
    struct netif_tx_request data[NET_SLOTS_MAX];
    struct netif_extra_info gso, group; /* type 0: none */
};

/*
 * Takes the next packet's slots; one at least is pending. 0, or -XEN_EIO: what
 * stands there ends nowhere, and *why says it.
 */
int net_request_take(struct ring_back *ring, uint32_t pending, struct net_request *r,
                     const char **why);

/*
 * Whether the slots make a frame: NETIF_RSP_OKAY, or the status to answer with. The
 * first slot's size is then that of its own data: on the ring it is the frame's, left in *len.
 */
int16_t net_request_check(struct net_request *r, uint32_t *len);

#endif
