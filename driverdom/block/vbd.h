/*
 * The block devices that guests have from this domain: what the store says of
 * them, and the back ends that serve them.
 */
#ifndef VBD_H
#define VBD_H

#include <blk_back.h>
#include <bus_back.h>
#include <bus_keep.h>

#include "disks.h"

#define VBDS_MAX 40u

/* What they keep for this domain's next life, at the start of what survives it. */
#define VBD_KEEP_LEN  sizeof(struct blk_redo[BLK_QUEUES_MAX])
#define VBDS_KEEP_LEN bus_keep_len(VBDS_MAX, VBD_KEEP_LEN)

/* Back ends are large: each comes with its device and goes with it. */
struct vbd {
    struct bus_device bus; /* first; its number: 51712 is xvda */
    struct blk_volume volume;
    struct blk_back *back;
    struct blk_redo *redo; /* BLK_QUEUES_MAX of them, in memory that a restart keeps */
    void *space;
};

struct vbds {
    struct bus_back bus; /* first */
    struct disks *disks;
    struct bus_keep keep;
    struct blk_batch *batch;
    struct vbd vbds[VBDS_MAX];
};

static inline struct vbd *vbd_of(struct bus_device *d)
{
    return (struct vbd *)d;
}

/* Adopts what a last life served; bus_back_watch on v->bus has to follow. 0 or an error. */
int vbds_open(struct vbds *v, struct store_client *store, struct disks *disks);

/* One round of I/O for all devices; whether there was any. */
bool vbds_serve(struct vbds *v);

/* Nothing of any guest's is at a disk. */
bool vbds_are_drained(const struct vbds *v);

/* For fault injection: a page of a ring that a guest shares, chosen by `pick`; NULL: none does. */
void *vbds_ring_page(struct vbds *v, uint64_t pick);

/* vbd_node.c: one device's talk with the store, for the table of vbd.c. */
int vbd_offer(struct bus_back *b, struct bus_device *d);
int vbd_link_read(struct vbds *v, const struct vbd *d, struct blk_link *link, const char **why);
int vbd_check(struct bus_back *b, struct bus_device *d, char *why, size_t len);
void vbd_count(const struct bus_device *d, char *text, size_t len);

#endif
