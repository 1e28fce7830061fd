/* The nodes of one block device: what it offers, what its front end asks for, what is wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rt/log.h>
#include <rt/start.h>

#include "vbd.h"

#define BACK_PATH "backend/vbd/%u/%u"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

void vbd_state_write(struct vbds *v, struct vbd *d, unsigned state)
{
    d->own = state;
    if (store_write_number(v->store, STORE_TX_NONE, state, BACK_PATH "/state", d->guest,
                           d->number) < 0)
        log_line("vbd %u of domain %u: its state cannot be written", d->number, d->guest);
}

/* ---- is it servable? -------------------------------------------------------------------- */

/* Two guests that write the same sectors destroy them: only readers may share. */
static const struct vbd *user_of(const struct vbds *v, const struct vbd *d,
                                 const struct blk_volume *volume)
{
    for (uint32_t i = 0; i < VBDS_MAX; i++) {
        const struct vbd *o = &v->vbds[i];

        if (o == d || !o->used || o->checked != VBD_GOOD || o->volume.disk != volume->disk)
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

    d->behind = other;
    if (other) {
        (void)snprintf(why, len, "%s is in use by domain %u", params, other->guest);
        return vbd_is_draining(other) ? -XEN_EAGAIN : -XEN_EBUSY;
    }
    d->volume = volume;
    return 0;
}

void vbd_check(struct vbds *v, struct vbd *d)
{
    char params[256], mode[8], why[DISKS_WHY_LEN];
    struct store_want wants[] = {
        {.path = "params", .value = params, .size = sizeof(params)},
        {.path = "mode", .value = mode, .size = sizeof(mode)},
        {.path = "frontend", .value = d->front, .size = sizeof(d->front)},
    };

    int rc = -XEN_ENOENT;

    if (store_read_all(v->store, STORE_TX_NONE, wants, COUNT(wants), BACK_PATH, d->guest,
                       d->number) < 0 ||
        wants[0].result < 0 || wants[1].result < 0 || wants[2].result < 0)
        (void)snprintf(why, sizeof(why), "its nodes params, mode and frontend cannot be read");
    else
        rc = volume_choose(v, d, params, mode, why, sizeof(why));
    /* Asked again when the disk is done with what a guest that is gone has left there. */
    d->changed = rc == -XEN_EAGAIN;
    if (d->changed)
        return;
    d->checked = rc == 0 ? VBD_GOOD : VBD_BAD;

    const struct store_pair bad[] = {{"hotplug-error", why}, {"hotplug-status", "error"}};
    const struct store_pair good[] = {{"hotplug-status", "connected"}};
    bool is_good = d->checked == VBD_GOOD;

    if (!is_good)
        log_line("vbd %u of domain %u: %s", d->number, d->guest, why);
    else
        log_line("vbd %u of domain %u: %s, %" PRIu64 " MiB%s", d->number, d->guest, params,
                 d->volume.sectors >> 11, d->volume.read_only ? ", read-only" : "");
    if (store_write_all(v->store, STORE_TX_NONE, is_good ? good : bad,
                        is_good ? COUNT(good) : COUNT(bad), BACK_PATH, d->guest, d->number) < 0)
        log_line("vbd %u of domain %u: its hotplug-status cannot be written", d->number, d->guest);
}

/* ---- what we offer ---------------------------------------------------------------------- */

static const char *decimal(char *text, size_t size, uint64_t value)
{
    (void)snprintf(text, size, "%" PRIu64, value);
    return text;
}

int vbd_offer(struct vbds *v, struct vbd *d)
{
    const struct blk_disk *disk = d->volume.disk;
    char n[8][24];
    const bool discard = disk->has_discard && !d->volume.read_only;
    const struct store_pair pairs[] = {
        {"feature-persistent", "1"},
        {"feature-flush-cache", disk->has_flush ? "1" : "0"},
        {"feature-barrier", "0"},
        {"feature-max-indirect-segments", decimal(n[0], sizeof(n[0]), BLK_SEGMENTS_MAX)},
        {"multi-queue-max-queues", decimal(n[1], sizeof(n[1]), BLK_QUEUES_MAX)},
        {"max-ring-page-order", decimal(n[2], sizeof(n[2]), BLK_RING_ORDER_MAX)},
        {"sectors", decimal(n[3], sizeof(n[3]), d->volume.sectors)},
        {"sector-size", decimal(n[4], sizeof(n[4]), disk->sector_size)},
        {"physical-sector-size", decimal(n[5], sizeof(n[5]), disk->physical_sector_size)},
        {"info", decimal(n[6], sizeof(n[6]), d->volume.read_only ? VDISK_READONLY : 0)},
        {"feature-discard", discard ? "1" : "0"},
        {"discard-granularity", decimal(n[7], sizeof(n[7]), disk->discard_granularity)},
        {"discard-alignment", "0"},
        {"discard-secure", "0"},
    };
    /* The last three only mean something with a disk that discards. */
    size_t count = COUNT(pairs) - (discard ? 0 : 3);
    int rc = store_write_all(v->store, STORE_TX_NONE, pairs, count, BACK_PATH, d->guest, d->number);

    if (rc >= 0)
        vbd_state_write(v, d, XenbusStateInitWait);
    return rc;
}

/* ---- what the front end asks for -------------------------------------------------------- */

/* A decimal number that fits 32 bits; `absent` if there is no such node. False: it is neither. */
static bool number_of(const struct store_want *want, uint32_t absent, uint32_t *number)
{
    char *end;

    *number = absent;
    if (want->result == -XEN_ENOENT)
        return true;
    if (want->result < 0 || want->value[0] < '0' || want->value[0] > '9')
        return false;

    unsigned long value = strtoul(want->value, &end, 10);

    *number = (uint32_t)value;
    return *end == '\0' && value <= UINT32_MAX;
}

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
    if (store_read_all(v->store, STORE_TX_NONE, wants, pages + 1, "%s", directory) < 0)
        return false;
    for (uint32_t i = 0; i < pages; i++)
        if (wants[i].result < 0 || !number_of(&wants[i], 0, &link->queues[queue].refs[i]))
            return false;
    return wants[pages].result >= 0 && number_of(&wants[pages], 0, &link->queues[queue].port);
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
    int rc = store_read_all(v->store, STORE_TX_NONE, wants, COUNT(wants), "%s", d->front);

    *why = "has nodes that cannot be read";
    if (rc < 0)
        return rc;
    *link = (struct blk_link){.peer = d->guest};
    *why = "speaks a protocol other than x86_64-abi";
    if (wants[0].result != -XEN_ENOENT &&
        (wants[0].result < 0 || strcmp(protocol, XEN_IO_PROTO_ABI_X86_64) != 0))
        return -XEN_EINVAL;
    *why = "asks for more queues or larger rings than were offered";
    if (!number_of(&wants[1], 0, &flag) || !number_of(&wants[2], 1, &link->queue_count) ||
        !number_of(&wants[3], 0, &link->ring_order) || link->queue_count == 0 ||
        link->queue_count > BLK_QUEUES_MAX || link->ring_order > BLK_RING_ORDER_MAX)
        return -XEN_EINVAL;
    link->persistent = flag == 1;
    *why = "does not say where its rings are";
    for (uint32_t q = 0; q < link->queue_count; q++) {
        int len = link->queue_count == 1
                      ? snprintf(directory, sizeof(directory), "%s", d->front)
                      : snprintf(directory, sizeof(directory), "%s/queue-%u", d->front, q);

        if (len < 0 || (size_t)len >= sizeof(directory) || !queue_read(v, directory, link, q))
            return -XEN_EINVAL;
    }
    *why = NULL;
    return 0;
}
