/* A virtio network device: its features, the header in front of each frame, its queues. */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include <shm.h>
#include <virtio.h>

#include "nic.h"

/* A whole frame of 64 KiB in as many buffers as a packet has pieces. */
#define VIRTIO_NET_BUFFER 4096u

enum { VIRTIO_NET_IN, VIRTIO_NET_OUT, VIRTIO_NET_CHANGE, VIRTIO_NET_VECTORS };

#define VIRTIO_NET_F_CSUM       (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ull << 1)
#define VIRTIO_NET_F_MTU        (1ull << 3)
#define VIRTIO_NET_F_MAC        (1ull << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ull << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ull << 8)
#define VIRTIO_NET_F_HOST_TSO4  (1ull << 11)
#define VIRTIO_NET_F_HOST_TSO6  (1ull << 12)
#define VIRTIO_NET_F_MRG_RXBUF  (1ull << 15)
#define VIRTIO_NET_F_STATUS     (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ    (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX    (1ull << 18)

/* Not without MRG_RXBUF: GUEST_TSO, whose frames are longer than a buffer. */
#define VIRTIO_NET_WANTED                                                                          \
    (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC |           \
     VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 |                  \
     VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS |                       \
     VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_F_EVENT_IDX)

struct virtio_net_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_len;
    uint16_t gso_size;
    uint16_t checksum_start;
    uint16_t checksum_offset;
    uint16_t buffers; /* that the frame fills; not for what goes out */
};
#define VIRTIO_NET_BLANK    1u
#define VIRTIO_NET_GOOD     2u
#define VIRTIO_NET_GSO_NONE 0u
#define VIRTIO_NET_GSO_TCP4 1u
#define VIRTIO_NET_GSO_TCP6 4u
#define VIRTIO_NET_GSO_ECN  0x80u

struct virtio_net {
    struct nic nic; /* first */
    struct virtio virtio;
    struct virtq in, out, control;
    struct virtio_net_header *headers;    /* of each frame on its way out; the device reads them */
    uint8_t *command;                     /* to the device, and its answer */
    uint16_t buffers[VIRTQ_SIZE];         /* by the head of the request that gave it */
    struct nic_frame *frames[VIRTQ_SIZE]; /* likewise */
    struct virtio_net_header header;      /* of the frame that comes in */
    uint32_t left;                        /* buffers of it that are still to come */
};

_Static_assert(sizeof(struct virtio_net_header) == 12, "header");

/* virtio_net_ring.c: frames in and out. */
void virtio_net_rings_reset(struct virtio_net *v);
struct net_packet *virtio_net_take(struct nic *n);
void virtio_net_refill(struct nic *n);
bool virtio_net_put(struct nic *n, struct nic_frame *frame);
void virtio_net_kick(struct nic *n);
bool virtio_net_reap(struct nic *n);

#endif
