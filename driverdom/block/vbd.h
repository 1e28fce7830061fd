/*
 * The block devices that guests have from this domain: what the store says of
 * them, and the back ends that serve them.
 */
#ifndef VBD_H
#define VBD_H

#include <blk_back.h>
#include <bus.h>
#include <store_client.h>

#include "disks.h"

#define VBDS_MAX 40u

/* Back ends are large: each comes with its device and goes with it. */
struct vbd {
    bool used;
    domid_t guest;
    uint32_t number; /* the device's, as in the store: 51712 is xvda */
    char front[64];  /* the front end's directory */
    enum { VBD_NEW, VBD_GOOD, VBD_BAD } checked;
    bool changed;    /* its nodes are to be read again */
    bool closing;    /* nothing more is served; then it is disconnected */
    bool complained; /* of the front end's breaking the protocol */
    unsigned own;    /* our state, as last read or written */
    struct blk_volume volume;
    const struct vbd *behind; /* VBD_NEW: whose I/O must end before this can be checked */
    struct blk_back *back;
    void *space;
};

struct vbds {
    struct store_client *store;
    struct disks *disks;
    struct blk_redo *redo; /* BLK_QUEUES_MAX of each device, in memory that a restart keeps */
    struct blk_batch *batch;
    uint32_t limit; /* none is used from here on: rounds are short on a host of few disks */
    bool scan;      /* events were dropped: everything is to be looked at again */
    struct vbd vbds[VBDS_MAX];
};

/* Closed, but the disk still has I/O of it. */
static inline bool vbd_is_draining(const struct vbd *d)
{
    return d->used && d->closing && !blk_back_is_drained(d->back);
}

/* Watches the store for devices. 0 or an error. */
int vbds_open(struct vbds *v, struct store_client *store, struct disks *disks);

/* A watch fired; then vbds_settle does what it asks for. */
void vbds_event(struct vbds *v, const struct store_event *event);
void vbds_settle(struct vbds *v);

/* One round of I/O for all devices; whether there was any. */
bool vbds_serve(struct vbds *v);

/* vbd_node.c: one device's talk with the store. */
int vbd_offer(struct vbds *v, struct vbd *d);
int vbd_link_read(struct vbds *v, const struct vbd *d, struct blk_link *link, const char **why);
void vbd_check(struct vbds *v, struct vbd *d);
void vbd_state_write(struct vbds *v, struct vbd *d, unsigned state);

#endif
