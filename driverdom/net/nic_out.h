/*
 * The way out of a card: frames that the switch has sent until the device has
 * them, and until it is done with them. What is done for each flush is done once
 * for all its frames.
 */
#ifndef NIC_OUT_H
#define NIC_OUT_H

#include <net_reach.h>

#define NIC_FRAMES  NET_REACH_BUFFERS
#define NIC_TAG_LEN 4u

struct nic;

/* Where what is to be finished stands in a frame: offsets in its first span. */
struct nic_layout {
    bool is_ip6;
    bool is_tcp; /* or UDP */
    uint16_t l3, l4;
    uint16_t checksum; /* the transport's field */
    uint16_t payload;  /* behind the transport header; TCP only */
};

struct nic_frame {
    struct net_reached reach; /* first: where it is for the device */
    struct nic_frame *next;
    uint64_t since; /* when the device got it */
    uint32_t len;
    uint16_t gso_size; /* 0: goes as it is */
    bool blank;        /* the transport's checksum is to be finished; layout is set */
    bool out;          /* at the device */
    struct nic_layout layout;
};

struct nic_out {
    struct nic_frame *frames; /* the first is the probe: see nic_probe.c */
    struct nic_frame *first_free;
    struct nic_frame *fresh, *fresh_last;     /* sent since the last flush */
    struct nic_frame *waiting, *waiting_last; /* flushed, no room in the device's ring */
    struct nic_frame *leaving;                /* done with, their pages not yet unmapped */
    uint32_t out_count;                       /* at the device */
    uint64_t deadline;
    uint32_t looks; /* since one is late */
    struct net_reach reach;
};

/* 0, or -XEN_ENOMEM. The batch may serve all ports. */
int nic_out_open(struct nic_out *o, struct net_batch *batch);

/* net_port's send and flush. */
enum net_drop nic_out_send(struct nic *n, struct net_packet *packet, struct net_tag tag);
void nic_out_flush(struct nic *n);

/* Gives the device what waits, as far as it has room, and tells it. */
void nic_out_push(struct nic *n);

/* The device has it from now on, and is watched. */
void nic_out_watch(struct nic_out *o, struct nic_frame *frame);

/* The device has sent it, or lost it in a reset: `sent` false. */
void nic_out_done(struct nic *n, struct nic_frame *frame, bool sent);

/* Lets go of the packets of frames that are done. */
void nic_out_release(struct nic *n);

/* The device is stopped: everything out or waiting is lost. */
void nic_out_forget(struct nic *n);

/*
 * Where the packet's headers are, tag included if it stands in the head; false:
 * its transport's checksum cannot be finished by a device.
 */
bool nic_layout_find(struct nic_layout *l, const struct net_packet *packet);

#endif
