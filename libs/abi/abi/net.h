/* The network protocol's rings: netif. */
#ifndef ABI_NET_H
#define ABI_NET_H

#include <abi/xen.h>

#include <xen/grant_table.h>

#include <xen/io/netif.h>

_Static_assert(sizeof(struct netif_tx_request) == 12, "transmit request");
_Static_assert(offsetof(struct netif_tx_request, offset) == 4, "offset");
_Static_assert(offsetof(struct netif_tx_request, flags) == 6, "flags");
_Static_assert(offsetof(struct netif_tx_request, id) == 8, "request id");
_Static_assert(offsetof(struct netif_tx_request, size) == 10, "size");
_Static_assert(sizeof(struct netif_tx_response) == 4, "transmit response");
_Static_assert(offsetof(struct netif_tx_response, status) == 2, "transmit status");
_Static_assert(sizeof(struct netif_rx_request) == 8, "receive request");
_Static_assert(offsetof(struct netif_rx_request, gref) == 4, "buffer");
_Static_assert(sizeof(struct netif_rx_response) == 8, "receive response");
_Static_assert(offsetof(struct netif_rx_response, status) == 6, "receive status");
_Static_assert(sizeof(struct netif_extra_info) == 8, "extra");
_Static_assert(offsetof(struct netif_extra_info, flags) == 1, "extra flags");
_Static_assert(offsetof(struct netif_extra_info, u) == 2, "extra value");

/* Requests and responses share slots: a slot has the size of the larger. */
#define NET_TX_SLOT_SIZE 12u
#define NET_RX_SLOT_SIZE 8u

/* Slots of data that a packet may have, on either ring. */
#define NET_SLOTS_MAX XEN_NETIF_NR_SLOTS_MIN

/* Newer than the packaged header: bytes left free in front of each received slot's data. */
#define NET_EXTRA_TYPE_XDP 5u

#endif
