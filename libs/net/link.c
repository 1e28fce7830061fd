/* Connecting to a front end's rings and ports, and letting go of them. */
#include "net_back.h"

#include <string.h>

#include <abi/addr.h>

#include <bus_rings.h>
#include <hcall.h>
#include <rt/event.h>

const struct net_feature net_back_features[] = {
    {"feature-rx-copy", 1},
    {"feature-rx-flip", 0},
    {"feature-sg", 1},
    {"feature-gso-tcpv4", 1},
    {"feature-gso-tcpv6", 1},
    {"feature-ipv6-csum-offload", 1},
    {"feature-split-event-channels", 1},
    {"feature-multicast-control", 1},
    {"feature-dynamic-multicast-control", 1},
    {"feature-xdp-headroom", 1},
    {"feature-ctrl-ring", 0},
    {"multi-queue-max-queues", NET_QUEUES_MAX},
    {NULL, 0},
};

static uint8_t *tx_page(const struct net_back *b, uint32_t queue)
{
    return b->space + (size_t)queue * 2 * PAGE_SIZE;
}

static uint8_t *rx_page(const struct net_back *b, uint32_t queue)
{
    return tx_page(b, queue) + PAGE_SIZE;
}

void *net_back_ring_page(const struct net_back *b, uint64_t pick)
{
    return tx_page(b, 0) + (size_t)(pick % ((uint64_t)b->queue_count * 2)) * PAGE_SIZE;
}

static int rings_map(struct net_back *b, const struct net_link *link)
{
    for (uint32_t q = 0; q < b->queue_count; q++) {
        struct gnttab_map_grant_ref *maps = &b->ring_maps[(size_t)q * 2];

        maps[0] = bus_ring_page(link->peer, link->queues[q].tx_ref, tx_page(b, q));
        maps[1] = bus_ring_page(link->peer, link->queues[q].rx_ref, rx_page(b, q));
    }
    return bus_rings_map(b->ring_maps, b->queue_count * 2);
}

static int rings_attach(struct net_back *b, const struct net_link *link, struct net_redo *redo,
                        bool adopt)
{
    int rc = 0;

    for (uint32_t q = 0; q < b->queue_count && rc >= 0; q++) {
        struct net_rx_setup setup = {
            .redo = &redo[q].rx,
            .batch = b->batch,
            .counters = &b->port.counters,
            .peer = link->peer,
            .notify = link->rx_notify,
        };

        b->queues[q].tell_at = 0;
        b->queues[q].tell_due = false;
        rc = net_tx_attach(&b->queues[q].tx, tx_page(b, q), &redo[q].tx, adopt);
        if (rc >= 0)
            rc = net_rx_attach(&b->queues[q].rx, rx_page(b, q), &setup, adopt);
    }
    return rc;
}

static int port_bind(domid_t peer, evtchn_port_t theirs, evtchn_port_t *ours)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = peer, .remote_port = theirs};
    int rc = hcall_event_bind_interdomain(&bind);

    if (rc >= 0)
        *ours = bind.local_port;
    return rc;
}

static int ports_bind(struct net_back *b, const struct net_link *link)
{
    int rc = 0;

    for (uint32_t q = 0; q < b->queue_count; q++)
        b->queues[q].tx_port = b->queues[q].rx_port = 0;
    for (uint32_t q = 0; q < b->queue_count && rc >= 0; q++) {
        rc = port_bind(link->peer, link->queues[q].tx_port, &b->queues[q].tx_port);
        if (rc >= 0 && link->queues[q].rx_port != link->queues[q].tx_port)
            rc = port_bind(link->peer, link->queues[q].rx_port, &b->queues[q].rx_port);
    }
    return rc;
}

static void port_close(evtchn_port_t *port)
{
    if (*port != 0)
        (void)hcall_event_close(&(struct evtchn_close){.port = *port});
    *port = 0;
}

static void ports_close(struct net_back *b)
{
    for (uint32_t q = 0; q < b->queue_count; q++) {
        port_close(&b->queues[q].tx_port);
        port_close(&b->queues[q].rx_port);
    }
}

/* A predecessor may have answered without telling, and knew groups that nobody knows now. */
static void adopted(struct net_back *b)
{
    b->groups.lost = true;
    for (uint32_t q = 0; q < b->queue_count; q++) {
        event_notify(b->queues[q].tx_port);
        if (b->queues[q].rx_port != 0)
            event_notify(b->queues[q].rx_port);
    }
}

static void serve(struct net_back *b, const struct net_link *link)
{
    b->free_jobs = NULL;
    for (uint32_t i = NET_TAKEN_MAX; i-- > 0;) {
        b->jobs[i].next = b->free_jobs;
        b->free_jobs = &b->jobs[i];
    }
    b->peer = link->peer;
    b->scatter = link->scatter;
    b->gso4 = link->gso4;
    b->gso6 = link->gso6;
    b->port.abilities.checksum4 = link->checksum4;
    b->port.abilities.checksum6 = link->checksum6;
    net_back_headroom(b, link->xdp_headroom);
    b->groups = (struct net_groups){.wanted = link->multicast_control};
    b->broken = NULL;
    b->closing = false;
    b->connected = b->port.up = true;
}

int net_back_connect(struct net_back *b, const struct net_link *link, struct net_redo *redo,
                     bool adopt, const char **why)
{
    int rc = -XEN_EINVAL;

    *why = "does not ask for frames to be copied (request-rx-copy)";
    if (!link->rx_copy)
        return rc;
    *why = "asks for more queues than were offered";
    if (link->queue_count == 0 || link->queue_count > NET_QUEUES_MAX)
        return rc;
    b->queue_count = link->queue_count;
    *why = "has a ring that cannot be mapped";
    rc = rings_map(b, link);
    if (rc < 0)
        goto unmap;
    *why = "claims more requests than its ring has";
    rc = rings_attach(b, link, redo, adopt);
    if (rc < 0)
        goto unmap;
    *why = "has an event channel that cannot be bound";
    rc = ports_bind(b, link);
    if (rc < 0)
        goto close;
    serve(b, link);
    if (adopt)
        adopted(b);
    *why = NULL;
    return 0;

close:
    ports_close(b);
unmap:
    bus_rings_unmap(b->ring_maps, b->queue_count * 2);
    b->queue_count = 0;
    return rc;
}

void net_back_close(struct net_back *b)
{
    b->closing = true;
    b->port.up = false;
    for (uint32_t q = 0; b->connected && q < b->queue_count; q++) {
        struct net_tx *t = &b->queues[q].tx;

        net_rx_drop(&b->queues[q].rx);
        for (; t->unread; t->unread = t->unread->next)
            t->unread->done = true;
    }
}

bool net_back_is_drained(const struct net_back *b)
{
    for (uint32_t q = 0; b->connected && q < b->queue_count; q++)
        for (const struct net_job *job = b->queues[q].tx.first; job; job = job->next)
            if (!job->done)
                return false;
    return true;
}

void net_back_disconnect(struct net_back *b)
{
    if (!b->connected)
        return;
    ports_close(b);
    bus_rings_unmap(b->ring_maps, b->queue_count * 2);
    b->connected = false;
}
