/*
 * The way in of a card: buffers that the device fills, and the packets made of
 * them. A packet keeps its buffers until its last holder lets it go.
 */
#ifndef NIC_IN_H
#define NIC_IN_H

#include <stddef.h>

#include <net_port.h>

/* More than a ring has, for packets that wait in queues of guests. */
#define NIC_BUFFERS 384u
#define NIC_PACKETS 384u

struct nic_packet {
    struct net_packet packet; /* first */
    struct nic_packet *next;
    uint16_t buffers[NET_PIECES_MAX]; /* the piece's */
    uint8_t *head;                    /* NET_HEAD_MAX bytes, with room in front */
};

struct nic_in {
    struct net_port *port;
    uint32_t size; /* of a buffer; a page has one or several whole ones */
    uint8_t *memory;
    uint8_t *heads;
    uint64_t dma[NIC_BUFFERS];
    uint16_t free[NIC_BUFFERS];
    uint32_t free_count;
    bool held[NIC_BUFFERS]; /* by the device */
    struct nic_packet *first_free;
    struct nic_packet *packets;
    uint32_t packet_count;   /* of them that were taken once */
    struct nic_packet *open; /* being made out of several buffers */
    enum net_drop spoiled;   /* why the open one is thrown away at its end */
};

/* 0, or -XEN_ENOMEM. */
int nic_in_open(struct nic_in *in, struct net_port *port, uint32_t size);

/* A buffer for the device: its number, or -1. */
int nic_in_give(struct nic_in *in);

/* What a device may have written there: to be read by shm.h. */
static inline const void *nic_in_buffer(const struct nic_in *in, uint32_t number)
{
    return in->memory + (size_t)number * in->size;
}

/* The device was stopped: its buffers are free again, the open packet is gone. */
void nic_in_forget(struct nic_in *in);

/*
 * The device filled `len` bytes from `offset` of a buffer that it had; they end
 * the frame or not. What it says is checked: a number that it did not have is
 * not used, lengths stay inside the buffer. The finished packet, with one holder
 * and checksum UNKNOWN; NULL: there is more to come, or it was no good.
 */
struct net_packet *nic_in_filled(struct nic_in *in, uint32_t number, uint32_t offset, uint32_t len,
                                 bool last);

/* The frame that comes is no good: its end gives NULL, and is counted. */
void nic_in_spoil(struct nic_in *in, enum net_drop why);

/* net_port's `done`: nobody holds the packet any more. */
void nic_in_done(struct nic_in *in, struct net_packet *packet);

#endif
