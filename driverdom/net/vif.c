/* The network interfaces of all guests: memory, connecting, serving. */
#include "vif.h"

#include <abi/addr.h>

#include <rt/clock.h>
#include <rt/event.h>
#include <rt/memory.h>

#define PAGES(n)   (((n) + PAGE_SIZE - 1) / PAGE_SIZE)
#define BACK_PAGES PAGES(sizeof(struct net_back))
#define REDO_LEN   sizeof(struct net_redo[NET_QUEUES_MAX])

static int vif_make(struct bus_back *b, struct bus_device *d)
{
    struct vif *vif = vif_of(d);

    vif->back = memory_pages_alloc(BACK_PAGES);
    vif->space = memory_space_alloc(NET_BACK_SPACE);
    vif->redo = bus_keep_claim(&((struct vifs *)b)->keep, d->guest, d->number);
    return vif->back && vif->space && vif->redo ? 0 : -XEN_ENOMEM;
}

static void vif_unmake(struct bus_back *b, struct bus_device *d)
{
    struct vif *vif = vif_of(d);

    if (vif->redo)
        bus_keep_drop(&((struct vifs *)b)->keep, vif->redo);
    if (vif->space)
        memory_space_free(vif->space, NET_BACK_SPACE);
    if (vif->back)
        memory_pages_free(vif->back, BACK_PAGES);
}

/* ---- a port of a switch ---------------------------------------------------------------------- */

static int port_join(struct vifs *v, struct vif *d, const char **why)
{
    struct bridge *bridge = bridge_get(v->bridges, d->bridge_name);

    *why = "needs a bridge more than there is memory for";
    if (!bridge)
        return -XEN_ENOMEM;
    *why = "finds its bridge full";
    if (switch_add(bridge->sw, &d->port, &d->back->port, &d->config, clock_now()) < 0) {
        bridge_put(bridge);
        return -XEN_ENOSPC;
    }
    d->bridge = bridge;
    if (d->port.collides)
        bus_back_log(&v->bus, &d->bus, "another interface of bridge %s has its address",
                     d->bridge_name);
    return 0;
}

static void port_leave(struct vif *d)
{
    if (!d->bridge)
        return;
    switch_remove(&d->port, clock_now());
    bridge_put(d->bridge);
    d->bridge = NULL;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Ports of rings that have one each, or of both. */
static void ports_open(const struct net_back *back)
{
    for (uint32_t q = 0; q < back->queue_count; q++) {
        event_open(back->queues[q].tx_port);
        if (back->queues[q].rx_port != 0)
            event_open(back->queues[q].rx_port);
    }
}

static void ports_shut(const struct net_back *back)
{
    for (uint32_t q = 0; q < back->queue_count; q++) {
        event_shut(back->queues[q].tx_port);
        if (back->queues[q].rx_port != 0)
            event_shut(back->queues[q].rx_port);
    }
}

static int vif_connect(struct bus_back *b, struct bus_device *d, bool adopt, const char **why)
{
    struct vifs *v = (struct vifs *)b;
    struct vif *vif = vif_of(d);
    struct net_link link;

    net_back_init(vif->back, vif->space, v->batch);
    int rc = vif_link_read(v, vif, &link, why);

    vif->back->port.abilities.mtu = vif->mtu;
    if (rc >= 0)
        rc = net_back_connect(vif->back, &link, vif->redo, adopt, why);
    if (rc < 0)
        return rc;
    rc = port_join(v, vif, why);
    if (rc < 0) {
        net_back_disconnect(vif->back);
        return rc;
    }
    ports_open(vif->back);
    bus_back_log(b, d, "%s to bridge %s, %u queues", adopt ? "adopted" : "connected",
                 vif->bridge_name, link.queue_count);
    return 0;
}

static bool vif_is_drained(const struct bus_device *d)
{
    return net_back_is_drained(((const struct vif *)d)->back);
}

/* The switch first: it may hold frames of this interface, and for it. */
static bool vif_close(struct bus_back *b, struct bus_device *d)
{
    (void)b;
    port_leave(vif_of(d));
    net_back_close(vif_of(d)->back);
    return vif_is_drained(d);
}

static void vif_disconnect(struct bus_back *b, struct bus_device *d)
{
    struct net_back *back = vif_of(d)->back;

    (void)b;
    if (back->connected)
        ports_shut(back);
    net_back_disconnect(back);
}

static const char *const watched[] = {"request-multicast-control", "xdp-headroom"};

static const struct bus_kind kind = {
    .name = "vif",
    .max = VIFS_MAX,
    .size = sizeof(struct vif),
    .watched = watched,
    .watched_count = sizeof(watched) / sizeof(watched[0]),
    .make = vif_make,
    .unmake = vif_unmake,
    .check = vif_check,
    .offer = vif_offer,
    .connect = vif_connect,
    .announced = true,
    .look = vif_look,
    .close = vif_close,
    .is_drained = vif_is_drained,
    .disconnect = vif_disconnect,
    .count = vif_count,
};

int vifs_open(struct vifs *v, struct store_client *store, struct bridges *bridges,
              struct net_batch *batch)
{
    *v = (struct vifs){.bridges = bridges, .batch = batch};
    void *records = memory_survivor(bus_keep_len(VIFS_MAX, REDO_LEN));

    if (!records)
        return -XEN_ENOMEM;
    bus_keep_open(&v->keep, records, VIFS_MAX, REDO_LEN);
    bus_back_open(&v->bus, &kind, v->vifs, &v->keep, store);
    return 0;
}

/* ---- serving --------------------------------------------------------------------------------- */

static bool is_serving(struct vifs *v, struct vif *d)
{
    if (!d->bus.used || !d->back->connected)
        return false;
    if (d->back->broken)
        bus_back_give_up(&v->bus, &d->bus, d->back->broken);
    return !d->back->broken && !d->bus.closing;
}

bool vifs_take(struct vifs *v, uint64_t now)
{
    bool any = false;

    for (uint32_t i = 0; i < v->bus.limit; i++)
        if (is_serving(v, &v->vifs[i]))
            any = net_back_take(v->vifs[i].back) || any;
    /* All of them before the first frame: what is looked at is fetched by one call. */
    for (uint32_t i = 0; i < v->bus.limit; i++) {
        struct vif *d = &v->vifs[i];
        struct net_packet *p = NULL;

        if (!is_serving(v, d))
            continue;
        while (switch_may_send(&d->port, now) <= now && (p = net_back_next(d->back)) != NULL) {
            switch_input(&d->port, p, now);
            net_packet_put(p);
            any = true;
        }
    }
    return any;
}

bool vifs_answer(struct vifs *v)
{
    bool any = false;

    for (uint32_t i = 0; i < v->bus.limit; i++)
        if (v->vifs[i].bus.used && v->vifs[i].back->connected)
            any = net_back_answer(v->vifs[i].back) || any;
    return any;
}

uint64_t vifs_tick(struct vifs *v, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < v->bus.limit; i++) {
        struct vif *d = &v->vifs[i];

        if (!is_serving(v, d))
            continue;

        uint64_t expire = net_back_expire(d->back, now), send = switch_may_send(&d->port, now);

        next = expire < next ? expire : next;
        if (send > now && send < next)
            next = send;
    }
    return next;
}

void *vifs_ring_page(struct vifs *v, uint64_t pick)
{
    struct vif *served[VIFS_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < v->bus.limit; i++)
        if (v->vifs[i].bus.used && v->vifs[i].back->connected)
            served[count++] = &v->vifs[i];
    return count > 0 ? net_back_ring_page(served[pick % count]->back, pick / count) : NULL;
}
