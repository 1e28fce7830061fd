/* The nodes of one block device: what it offers, what its front end asks for, what is wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <abi/offer.h>

#include "vbd.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- is it servable? -------------------------------------------------------------------- */

/* Two guests that write the same sectors destroy them: only readers may share. */
static const struct vbd *user_of(const struct vbds *v, const struct vbd *d,
                                 const struct blk_volume *volume)
{
    for (uint32_t i = 0; i < VBDS_MAX; i++) {
        const struct vbd *o = &v->vbds[i];

        if (o == d || !o->bus.used || o->bus.checked != BUS_GOOD || o->volume.disk != volume->disk)
            continue;
        if (o->volume.read_only && volume->read_only)
            continue;
        if (o->volume.first < volume->first + volume->sectors &&
            volume->first < o->volume.first + o->volume.sectors)
            return o;
    }
    return NULL;
}

static int volume_choose(const struct vbds *v, struct vbd *d, const char *params, const char *mode,
                         char *why, size_t len)
{
    struct blk_volume volume;
    int rc = disks_find(v->disks, params, &volume, why, len);

    if (rc < 0)
        return rc;
    if (mode[0] != 'w') {
        volume.read_only = true;
    } else if (volume.read_only) {
        (void)snprintf(why, len, "%s is a read-only disk: say <readonly/>", params);
        return -XEN_EROFS;
    }

    const struct vbd *other = user_of(v, d, &volume);

    d->bus.behind = other ? &other->bus : NULL;
    if (other) {
        (void)snprintf(why, len, "%s is in use by domain %u", params, other->bus.guest);
        return other->bus.closing && !blk_back_is_drained(other->back) ? -XEN_EAGAIN : -XEN_EBUSY;
    }
    d->volume = volume;
    return 0;
}

int vbd_check(struct bus_back *b, struct bus_device *d, char *why, size_t len)
{
    struct vbd *vbd = vbd_of(d);
    char params[256], mode[8];
    struct store_want wants[] = {
        {.path = "params", .value = params, .size = sizeof(params)},
        {.path = "mode", .value = mode, .size = sizeof(mode)},
    };

    if (store_read_all(b->store, STORE_TX_NONE, wants, COUNT(wants), BUS_BACK_PATH, b->kind->name,
                       d->guest, d->number) < 0 ||
        wants[0].result < 0 || wants[1].result < 0) {
        (void)snprintf(why, len, "its nodes params and mode cannot be read");
        return -XEN_ENOENT;
    }

    int rc = volume_choose((struct vbds *)b, vbd, params, mode, why, len);

    if (rc == 0)
        bus_back_log(b, d, "%s, %" PRIu64 " MiB%s", params, vbd->volume.sectors >> 11,
                     vbd->volume.read_only ? ", read-only" : "");
    return rc;
}

OFFER("vbd feature-persistent=1\n"
      "vbd feature-max-indirect-segments=" OFFER_NUMBER(
          BLK_SEGMENTS_MAX) "\n"
                            "vbd multi-queue-max-queues=" OFFER_NUMBER(
                                BLK_QUEUES_MAX) "\n"
                                                "vbd max-ring-page-order=" OFFER_NUMBER(
                                                    BLK_RING_ORDER_MAX) "\n");

/* ---- what we offer ---------------------------------------------------------------------- */

static const char *decimal(char *text, size_t size, uint64_t value)
{
    (void)snprintf(text, size, "%" PRIu64, value);
    return text;
}

int vbd_offer(struct bus_back *b, struct bus_device *d)
{
    const struct blk_volume *volume = &vbd_of(d)->volume;
    const struct blk_disk *disk = volume->disk;
    char n[8][24];
    const bool discard = disk->has_discard && !volume->read_only;
    const struct store_pair pairs[] = {
        {"feature-persistent", "1"},
        {"feature-flush-cache", disk->has_flush ? "1" : "0"},
        {"feature-barrier", "0"},
        {"feature-max-indirect-segments", decimal(n[0], sizeof(n[0]), BLK_SEGMENTS_MAX)},
        {"multi-queue-max-queues", decimal(n[1], sizeof(n[1]), BLK_QUEUES_MAX)},
        {"max-ring-page-order", decimal(n[2], sizeof(n[2]), BLK_RING_ORDER_MAX)},
        {"sectors", decimal(n[3], sizeof(n[3]), volume->sectors)},
        {"sector-size", decimal(n[4], sizeof(n[4]), disk->sector_size)},
        {"physical-sector-size", decimal(n[5], sizeof(n[5]), disk->physical_sector_size)},
        {"info", decimal(n[6], sizeof(n[6]), volume->read_only ? VDISK_READONLY : 0)},
        {"feature-discard", discard ? "1" : "0"},
        {"discard-granularity", decimal(n[7], sizeof(n[7]), disk->discard_granularity)},
        {"discard-alignment", "0"},
        {"discard-secure", "0"},
    };
    /* The last three only mean something with a disk that discards. */
    size_t count = COUNT(pairs) - (discard ? 0 : 3);

    return store_write_all(b->store, STORE_TX_NONE, pairs, count, BUS_BACK_PATH, b->kind->name,
                           d->guest, d->number);
}

void vbd_count(const struct bus_device *d, char *text, size_t len)
{
    const struct blk_counters *c = &((const struct vbd *)d)->back->counters;

    (void)snprintf(text, len,
                   "rd_req=%" PRIu64 " rd_bytes=%" PRIu64 " wr_req=%" PRIu64 " wr_bytes=%" PRIu64
                   " flush_req=%" PRIu64 " errors=%" PRIu64,
                   c->reads, c->sectors_read * BLK_SECTOR, c->writes,
                   c->sectors_written * BLK_SECTOR, c->flushes, c->errors);
}

/* ---- what the front end asks for -------------------------------------------------------- */

/* One queue's ring references and port, from its directory, with one round trip. */
static bool queue_read(struct vbds *v, const char *directory, struct blk_link *link, uint32_t queue)
{
    char values[BLK_RING_PAGES_MAX + 1][12], names[BLK_RING_PAGES_MAX][20];
    struct store_want wants[BLK_RING_PAGES_MAX + 1];
    uint32_t pages = 1u << link->ring_order;

    for (uint32_t i = 0; i < pages; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "ring-ref%u", i);
        wants[i] =
            (struct store_want){.path = names[i], .value = values[i], .size = sizeof(values[i])};
    }
    if (link->ring_order == 0)
        wants[0].path = "ring-ref";
    wants[pages] = (struct store_want){
        .path = "event-channel", .value = values[pages], .size = sizeof(values[pages])};
    if (store_read_all(v->bus.store, STORE_TX_NONE, wants, pages + 1, "%s", directory) < 0)
        return false;
    for (uint32_t i = 0; i < pages; i++)
        if (wants[i].result < 0 || !bus_number(&wants[i], 0, &link->queues[queue].refs[i]))
            return false;
    return wants[pages].result >= 0 && bus_number(&wants[pages], 0, &link->queues[queue].port);
}

int vbd_link_read(struct vbds *v, const struct vbd *d, struct blk_link *link, const char **why)
{
    char protocol[32], persistent[12], queues[12], order[12], directory[96];
    uint32_t flag;
    struct store_want wants[] = {
        {.path = "protocol", .value = protocol, .size = sizeof(protocol)},
        {.path = "feature-persistent", .value = persistent, .size = sizeof(persistent)},
        {.path = "multi-queue-num-queues", .value = queues, .size = sizeof(queues)},
        {.path = "ring-page-order", .value = order, .size = sizeof(order)},
    };
    int rc = store_read_all(v->bus.store, STORE_TX_NONE, wants, COUNT(wants), "%s", d->bus.front);

    *why = "has nodes that cannot be read";
    if (rc < 0)
        return rc;
    *link = (struct blk_link){.peer = d->bus.guest};
    *why = "speaks a protocol other than x86_64-abi";
    if (wants[0].result != -XEN_ENOENT &&
        (wants[0].result < 0 || strcmp(protocol, XEN_IO_PROTO_ABI_X86_64) != 0))
        return -XEN_EINVAL;
    *why = "asks for more queues or larger rings than were offered";
    if (!bus_number(&wants[1], 0, &flag) || !bus_number(&wants[2], 1, &link->queue_count) ||
        !bus_number(&wants[3], 0, &link->ring_order) || link->queue_count == 0 ||
        link->queue_count > BLK_QUEUES_MAX || link->ring_order > BLK_RING_ORDER_MAX)
        return -XEN_EINVAL;
    link->persistent = flag == 1;
    *why = "does not say where its rings are";
    for (uint32_t q = 0; q < link->queue_count; q++) {
        int len = link->queue_count == 1
                      ? snprintf(directory, sizeof(directory), "%s", d->bus.front)
                      : snprintf(directory, sizeof(directory), "%s/queue-%u", d->bus.front, q);

        if (len < 0 || (size_t)len >= sizeof(directory) || !queue_read(v, directory, link, q))
            return -XEN_EINVAL;
    }
    *why = NULL;
    return 0;
}
