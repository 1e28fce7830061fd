/* The block devices of all guests: memory, connecting, serving. */
#include "vbd.h"

#include <abi/addr.h>

#include <rt/event.h>
#include <rt/memory.h>

#define BACK_PAGES  ((sizeof(struct blk_back) + PAGE_SIZE - 1) / PAGE_SIZE)
#define BATCH_PAGES ((sizeof(struct blk_batch) + PAGE_SIZE - 1) / PAGE_SIZE)

static int vbd_make(struct bus_back *b, struct bus_device *d)
{
    struct vbd *vbd = vbd_of(d);

    vbd->back = memory_pages_alloc(BACK_PAGES);
    vbd->space = memory_space_alloc(BLK_BACK_SPACE);
    vbd->redo = bus_keep_claim(&((struct vbds *)b)->keep, d->guest, d->number);
    return vbd->back && vbd->space && vbd->redo ? 0 : -XEN_ENOMEM;
}

static void vbd_unmake(struct bus_back *b, struct bus_device *d)
{
    struct vbd *vbd = vbd_of(d);

    if (vbd->redo)
        bus_keep_drop(&((struct vbds *)b)->keep, vbd->redo);
    if (vbd->space)
        memory_space_free(vbd->space, BLK_BACK_SPACE);
    if (vbd->back)
        memory_pages_free(vbd->back, BACK_PAGES);
}

static int vbd_connect(struct bus_back *b, struct bus_device *d, bool adopt, const char **why)
{
    struct vbds *v = (struct vbds *)b;
    struct vbd *vbd = vbd_of(d);
    struct blk_link link;

    blk_back_init(vbd->back, &vbd->volume, vbd->space, v->batch);
    int rc = vbd_link_read(v, vbd, &link, why);

    if (rc >= 0)
        rc = blk_back_connect(vbd->back, &link, vbd->redo, adopt, why);
    if (rc < 0)
        return rc;
    for (uint32_t q = 0; q < vbd->back->queue_count; q++)
        event_open(vbd->back->ports[q]);
    bus_back_log(b, d, "%s, %u queues of %u slots%s", adopt ? "adopted" : "connected",
                 link.queue_count, vbd->back->queues[0].ring.count,
                 link.persistent ? ", persistent grants" : "");
    return 0;
}

static bool vbd_is_drained(const struct bus_device *d)
{
    return blk_back_is_drained(((const struct vbd *)d)->back);
}

/* Not served any more, as it is closing: what is at the disk ends by itself. */
static bool vbd_close(struct bus_back *b, struct bus_device *d)
{
    (void)b;
    return vbd_is_drained(d);
}

static void vbd_disconnect(struct bus_back *b, struct bus_device *d)
{
    struct blk_back *back = vbd_of(d)->back;

    (void)b;
    for (uint32_t q = 0; back->connected && q < back->queue_count; q++)
        event_shut(back->ports[q]);
    blk_back_disconnect(back);
}

static const struct bus_kind kind = {
    .name = "vbd",
    .max = VBDS_MAX,
    .size = sizeof(struct vbd),
    .make = vbd_make,
    .unmake = vbd_unmake,
    .check = vbd_check,
    .offer = vbd_offer,
    .connect = vbd_connect,
    .close = vbd_close,
    .is_drained = vbd_is_drained,
    .disconnect = vbd_disconnect,
    .count = vbd_count,
};

int vbds_open(struct vbds *v, struct store_client *store, struct disks *disks)
{
    *v = (struct vbds){.disks = disks};
    void *records = memory_survivor(VBDS_KEEP_LEN);

    v->batch = memory_pages_alloc(BATCH_PAGES);
    if (!records || !v->batch)
        return -XEN_ENOMEM;
    bus_keep_open(&v->keep, records, VBDS_MAX, VBD_KEEP_LEN);
    bus_back_open(&v->bus, &kind, v->vbds, &v->keep, store);
    return 0;
}

bool vbds_serve(struct vbds *v)
{
    bool any = false;

    for (uint32_t i = 0; i < v->bus.limit; i++) {
        struct vbd *d = &v->vbds[i];

        if (!d->bus.used || !d->back->connected)
            continue;
        if (d->back->broken) {
            bus_back_give_up(&v->bus, &d->bus, d->back->broken);
            continue;
        }
        if (!d->bus.closing) {
            any = blk_back_answer(d->back) || any;
            any = blk_back_take(d->back) || any;
        }
    }
    return any;
}

bool vbds_are_drained(const struct vbds *v)
{
    for (uint32_t i = 0; i < v->bus.limit; i++) {
        const struct vbd *d = &v->vbds[i];

        if (d->bus.used && d->back->connected && !vbd_is_drained(&d->bus))
            return false;
    }
    return true;
}

void *vbds_ring_page(struct vbds *v, uint64_t pick)
{
    struct vbd *served[VBDS_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < v->bus.limit; i++)
        if (v->vbds[i].bus.used && v->vbds[i].back->connected)
            served[count++] = &v->vbds[i];
    return count > 0 ? blk_back_ring_page(served[pick % count]->back, pick / count) : NULL;
}
