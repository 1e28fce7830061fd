/* The block devices of all guests: coming, connecting, serving, going. */
#include "vbd.h"

#include <stdio.h>
#include <string.h>

#include <abi/addr.h>

#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>

#define BACK_PATH     "backend/vbd/%u/%u"
#define TOKEN_DEVICES "vbd"
#define BACK_PAGES    ((sizeof(struct blk_back) + PAGE_SIZE - 1) / PAGE_SIZE)
#define BATCH_PAGES   ((sizeof(struct blk_batch) + PAGE_SIZE - 1) / PAGE_SIZE)
#define REDO_PAGES    ((sizeof(struct blk_redo[VBDS_MAX][BLK_QUEUES_MAX]) + PAGE_SIZE - 1) / PAGE_SIZE)

int vbds_open(struct vbds *v, struct store_client *store, struct disks *disks)
{
    *v = (struct vbds){.store = store, .disks = disks};
    v->redo = memory_pages_alloc(REDO_PAGES);
    v->batch = memory_pages_alloc(BATCH_PAGES);
    if (!v->redo || !v->batch)
        return -XEN_ENOMEM;
    return store_watch(store, TOKEN_DEVICES, "backend/vbd");
}

static struct vbd *vbd_find(struct vbds *v, domid_t guest, uint32_t number)
{
    for (uint32_t i = 0; i < v->limit; i++)
        if (v->vbds[i].used && v->vbds[i].guest == guest && v->vbds[i].number == number)
            return &v->vbds[i];
    return NULL;
}

static void vbd_free(struct vbds *v, struct vbd *d)
{
    if (d->front[0] && d->checked == VBD_GOOD)
        (void)!store_unwatch(v->store, "front", "%s/state", d->front);
    if (d->space)
        memory_space_free(d->space, BLK_BACK_SPACE);
    if (d->back)
        memory_pages_free(d->back, BACK_PAGES);
    *d = (struct vbd){0};
}

static struct vbd *vbd_alloc(struct vbds *v, domid_t guest, uint32_t number)
{
    struct vbd *d = NULL;

    for (uint32_t i = 0; i < VBDS_MAX && !d; i++)
        if (!v->vbds[i].used)
            d = &v->vbds[i];
    if (!d)
        return NULL;
    if (d - v->vbds >= v->limit)
        v->limit = (uint32_t)(d - v->vbds) + 1;
    *d = (struct vbd){.used = true, .guest = guest, .number = number, .changed = true};
    d->back = memory_pages_alloc(BACK_PAGES);
    d->space = memory_space_alloc(BLK_BACK_SPACE);
    if (d->back && d->space)
        return d;
    vbd_free(v, d);
    return NULL;
}

static struct blk_redo *redo_of(const struct vbds *v, const struct vbd *d)
{
    return &v->redo[(size_t)(d - v->vbds) * BLK_QUEUES_MAX];
}

static void devices_changed(struct vbds *v, unsigned guest, bool all)
{
    for (uint32_t i = 0; i < v->limit; i++)
        if (v->vbds[i].used && (all || v->vbds[i].guest == guest))
            v->vbds[i].changed = true;
}

static void device_found(struct vbds *v, domid_t guest, uint32_t number)
{
    struct vbd *d = vbd_find(v, guest, number);

    if (d)
        d->changed = true;
    else if (!vbd_alloc(v, guest, number))
        log_line("vbd %u of domain %u: no memory for another device", number, guest);
}

/* Events were dropped: every device may have changed, come or gone. */
static void vbds_scan(struct vbds *v)
{
    static char guests[STORE_PAYLOAD_MAX], numbers[STORE_PAYLOAD_MAX];
    const char *guest = guests;
    int count = store_list(v->store, STORE_TX_NONE, guests, sizeof(guests), "backend/vbd");

    v->scan = false;
    devices_changed(v, 0, true);
    for (; count > 0; count--, guest = store_next_name(guest)) {
        const char *name = numbers;
        int left =
            store_list(v->store, STORE_TX_NONE, numbers, sizeof(numbers), "backend/vbd/%s", guest);

        for (; left > 0; left--, name = store_next_name(name)) {
            unsigned domid, number;

            if (sscanf(guest, "%u", &domid) == 1 && domid < DOMID_FIRST_RESERVED &&
                sscanf(name, "%u", &number) == 1)
                device_found(v, (domid_t)domid, number);
        }
    }
}

/* A guest's whole directory, as it is removed, or the one of all, for events that were dropped. */
static bool is_above_devices(struct vbds *v, const char *path)
{
    unsigned guest;
    int used = 0;

    if (strcmp(path, "backend/vbd") == 0) {
        v->scan = true;
        return true;
    }
    if (sscanf(path, "backend/vbd/%u%n", &guest, &used) != 1 || path[used] != '\0')
        return false;
    devices_changed(v, guest, false);
    return true;
}

/* Something changed at or below a device's directory, or at its front end's state. */
void vbds_event(struct vbds *v, const struct store_event *event)
{
    unsigned guest, number;
    int used = 0;

    if (is_above_devices(v, event->path))
        return;
    if (sscanf(event->path, "backend/vbd/%u/%u%n", &guest, &number, &used) != 2 &&
        sscanf(event->path, "/local/domain/%u/device/vbd/%u%n", &guest, &number, &used) != 2)
        return;
    if (guest >= DOMID_FIRST_RESERVED || (event->path[used] != '/' && event->path[used] != '\0'))
        return;

    if (event->path[0] != '/' || vbd_find(v, (domid_t)guest, number))
        device_found(v, (domid_t)guest, number);
}

static void vbd_connect(struct vbds *v, struct vbd *d)
{
    struct blk_link link;
    const char *why;

    blk_back_init(d->back, &d->volume, d->space, v->batch);
    int rc = vbd_link_read(v, d, &link, &why);

    if (rc >= 0)
        rc = blk_back_connect(d->back, &link, redo_of(v, d), false, &why);
    if (rc < 0) {
        log_line("vbd %u of domain %u: closed, its front end %s", d->number, d->guest, why);
        vbd_state_write(v, d, XenbusStateClosing);
        return;
    }
    d->closing = d->complained = false;
    for (uint32_t q = 0; q < d->back->queue_count; q++)
        event_open(d->back->ports[q]);
    vbd_state_write(v, d, XenbusStateConnected);
    log_line("vbd %u of domain %u: connected, %u queues of %u slots%s", d->number, d->guest,
             link.queue_count, d->back->queues[0].ring.count,
             link.persistent ? ", persistent grants" : "");
}

/* Disconnects once nothing is at the disk any more. True: it is disconnected. */
static bool vbd_let_go(struct vbd *d)
{
    if (!blk_back_is_drained(d->back))
        return false;
    for (uint32_t q = 0; d->back->connected && q < d->back->queue_count; q++)
        event_shut(d->back->ports[q]);
    blk_back_disconnect(d->back);
    return true;
}

static void vbd_step(struct vbds *v, struct vbd *d, unsigned front, bool online)
{
    switch (bus_next(d->own, front, online)) {
    case BUS_STEP_OFFER:
        if (vbd_offer(v, d) < 0)
            log_line("vbd %u of domain %u: its features cannot be written", d->number, d->guest);
        break;
    case BUS_STEP_CONNECT: vbd_connect(v, d); break;
    case BUS_STEP_CLOSING: vbd_state_write(v, d, XenbusStateClosing); break;
    case BUS_STEP_CLOSE:
        d->closing = true;
        if (vbd_let_go(d))
            vbd_state_write(v, d, XenbusStateClosed);
        else
            d->changed = true; /* again when something has finished */
        break;
    case BUS_STEP_NONE:
    case BUS_STEP_RECONFIGURE: /* nothing of a disk's changes while it is connected */
    case BUS_STEP_RESUME: break;
    }
}

static unsigned state_of(const struct store_want *want)
{
    unsigned state = 0;

    return want->result >= 0 && sscanf(want->value, "%u", &state) == 1 ? state : XenbusStateUnknown;
}

/* Reads where a device and its front end stand, and does the next step. */
static void vbd_update(struct vbds *v, struct vbd *d)
{
    char own[12], online[12], front[12];
    struct store_want wants[] = {
        {.path = "state", .value = own, .size = sizeof(own)},
        {.path = "online", .value = online, .size = sizeof(online)},
    };
    struct store_want theirs = {.path = "state", .value = front, .size = sizeof(front)};

    d->changed = false;
    if (store_read_all(v->store, STORE_TX_NONE, wants, 2, BACK_PATH, d->guest, d->number) < 0)
        return;
    if (wants[0].result == -XEN_ENOENT) {
        d->closing = true;
        if (vbd_let_go(d))
            vbd_free(v, d);
        else
            d->changed = true;
        return;
    }
    d->own = state_of(&wants[0]);
    if (d->checked == VBD_NEW) {
        vbd_check(v, d);
        if (d->checked == VBD_NEW)
            return;
        /* Its first event comes at once, so no state of the front end is missed. */
        if (d->checked == VBD_GOOD && store_watch(v->store, "front", "%s/state", d->front) < 0)
            log_line("vbd %u of domain %u: its front end cannot be watched", d->number, d->guest);
    }

    bool is_online = wants[1].result >= 0 && online[0] == '1';

    if (d->checked == VBD_BAD) {
        if (d->own == XenbusStateClosing && !is_online)
            vbd_state_write(v, d, XenbusStateClosed);
        return;
    }
    if (store_read_all(v->store, STORE_TX_NONE, &theirs, 1, "%s", d->front) >= 0)
        vbd_step(v, d, state_of(&theirs), is_online);
}

/* What was there first, so that what is going has let go of its sectors before others want them. */
void vbds_settle(struct vbds *v)
{
    if (v->scan)
        vbds_scan(v);
    for (int fresh = 0; fresh <= 1; fresh++) {
        for (uint32_t i = 0; i < v->limit; i++) {
            struct vbd *d = &v->vbds[i];

            if (!d->used || !d->changed || (d->checked == VBD_NEW) != fresh)
                continue;
            if (!vbd_is_draining(d) && (!d->behind || !vbd_is_draining(d->behind)))
                vbd_update(v, d);
        }
    }
}

/* A front end that breaks the protocol loses its device, with one line. */
static void vbd_give_up(struct vbds *v, struct vbd *d)
{
    if (!d->complained) {
        log_line("vbd %u of domain %u: closed, its front end %s", d->number, d->guest,
                 d->back->broken);
        d->complained = d->closing = true;
    }
    if (vbd_let_go(d))
        vbd_state_write(v, d, XenbusStateClosing);
}

bool vbds_serve(struct vbds *v)
{
    bool any = false;

    for (uint32_t i = 0; i < v->limit; i++) {
        struct vbd *d = &v->vbds[i];

        if (!d->used || !d->back->connected)
            continue;
        if (d->back->broken) {
            vbd_give_up(v, d);
            continue;
        }
        if (!d->closing) {
            any = blk_back_answer(d->back) || any;
            any = blk_back_take(d->back) || any;
        }
    }
    return any;
}
