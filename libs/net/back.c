/* Packets from transmit rings to the switch, frames from it to receive rings, and the answers. */
#include "net_back.h"

#include <stddef.h>
#include <string.h>

#include <rt/event.h>
#include <rt/memory.h>

#include <hcall.h>

#include "net_flow.h"

static struct net_back *back_of(struct net_port *port)
{
    return (struct net_back *)((uint8_t *)port - offsetof(struct net_back, port));
}

static bool is_serving(const struct net_back *b)
{
    return b->connected && !b->closing && !b->broken;
}

/* ---- the port ------------------------------------------------------------------------------- */

static enum net_drop back_send(struct net_port *port, struct net_packet *packet, struct net_tag tag)
{
    struct net_back *b = back_of(port);
    uint32_t queue = 0;

    if (!is_serving(b))
        return NET_DROP_LINK;
    if (!net_groups_pass(&b->groups, packet->head))
        return NET_DROP_GROUP;
    if (b->queue_count > 1)
        queue = net_flow(packet->head, packet->head_len) % b->queue_count;
    return net_rx_send(&b->queues[queue].rx, packet, tag);
}

static void back_flush(struct net_port *port)
{
    struct net_back *b = back_of(port);

    for (uint32_t q = 0; is_serving(b) && q < b->queue_count; q++)
        net_rx_flush(&b->queues[q].rx);
}

static void back_done(struct net_port *port, struct net_packet *packet)
{
    struct net_back *b = back_of(port);
    struct net_job *job = (struct net_job *)((uint8_t *)packet - offsetof(struct net_job, packet));

    job->done = true;
    if (packet->unreadable && !b->broken)
        b->broken = "grants memory that cannot be read";
}

static const struct net_port_driver back_driver = {
    .send = back_send,
    .flush = back_flush,
    .done = back_done,
};

void net_back_init(struct net_back *b, void *space, struct net_batch *batch)
{
    memset(b, 0, sizeof(*b));
    b->port.driver = &back_driver;
    b->port.abilities.mtu = 1500;
    b->batch = batch;
    b->space = space;
    for (uint32_t i = 0; i < NET_TAKEN_MAX; i++) {
        struct net_packet *p = &b->jobs[i].packet;

        p->from = &b->port;
        p->head = b->jobs[i].head + NET_HEAD_ROOM;
    }
}

/* ---- packets from the guest ----------------------------------------------------------------- */

static struct net_job *job_alloc(struct net_back *b)
{
    struct net_job *job = b->free_jobs;

    b->free_jobs = job->next;
    job->failed = job->done = false;
    job->status = NETIF_RSP_OKAY;
    job->packet.len = 0;
    return job;
}

static void job_end(struct net_job *job, int16_t status)
{
    job->done = true;
    job->status = status;
}

/* The front of a frame is copied to be looked at; what is behind it stays where it is. */
static void job_cut(struct net_back *b, struct net_job *job, const struct net_request *r)
{
    struct net_packet *p = &job->packet;
    uint32_t copied = 0;

    for (uint32_t i = 0; i < r->data_count; i++) {
        const struct netif_tx_request *data = &r->data[i];
        uint32_t part = p->head_len - copied;

        if (part > data->size)
            part = data->size;
        net_batch_copy(b->batch, net_place_granted(p->owner, data->gref, data->offset),
                       net_place_local(p->head + copied), part, &job->failed);
        copied += part;
        if (part < data->size)
            p->pieces[p->piece_count++] =
                (struct net_piece){.offset = (uint16_t)(data->offset + part),
                                   .len = (uint16_t)(data->size - part),
                                   .ref = data->gref};
    }
}

static void job_fill(struct net_back *b, struct net_job *job, const struct net_request *r,
                     uint32_t len)
{
    struct net_packet *p = &job->packet;
    uint16_t flags = r->data[0].flags;

    p->owner = b->peer;
    p->gso = NET_GSO_NONE;
    if (r->gso.type != 0)
        p->gso = r->gso.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ? NET_GSO_TCP4 : NET_GSO_TCP6;
    p->gso_size = r->gso.type != 0 ? r->gso.u.gso.size : 0;
    p->checksum = NET_CHECKSUM_UNKNOWN;
    if (flags & NETTXF_csum_blank)
        p->checksum = NET_CHECKSUM_BLANK;
    else if (flags & NETTXF_data_validated)
        p->checksum = NET_CHECKSUM_GOOD;
    p->len = len;
    p->head_len = (uint16_t)(len < NET_HEAD_MAX ? len : NET_HEAD_MAX);
    p->piece_count = 0;
    p->refs = 0;
    p->unreadable = false;
    job_cut(b, job, r);
    b->heads_at = b->batch->calls;
}

/* No frame: the front end joins or leaves a multicast group. */
static void job_group(struct net_back *b, struct net_job *job, const struct netif_extra_info *group)
{
    int16_t status = NETIF_RSP_OKAY;

    if (group->type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL)
        net_groups_del(&b->groups, group->u.mcast.addr);
    else if (!net_groups_add(&b->groups, group->u.mcast.addr))
        status = NETIF_RSP_ERROR;
    job_end(job, status);
}

/* One packet out of the ring; its head is copied by the next run of the batch. */
static void job_take(struct net_back *b, struct net_tx *t, struct net_request *r)
{
    struct net_job *job = job_alloc(b);
    uint32_t len;

    job->slots = r->slots;
    job->extras = r->extras;
    memcpy(job->ids, r->ids, r->slots * sizeof(job->ids[0]));
    net_tx_push(t, job);
    if (r->group.type != 0) {
        job_group(b, job, &r->group);
    } else if (net_request_check(r, &len) == NETIF_RSP_OKAY) {
        job_fill(b, job, r, len);
    } else {
        b->port.counters.in_drops[NET_DROP_MALFORMED]++;
        job_end(job, NETIF_RSP_ERROR);
    }
}

/* Every queue has its share, so that none takes all. */
static bool queue_has_room(const struct net_back *b, const struct net_queue *q)
{
    return q->tx.flying < NET_TAKEN_MAX / b->queue_count;
}

static bool queue_take(struct net_back *b, struct net_queue *q)
{
    uint32_t budget = NET_BUDGET / b->queue_count;
    int pending = ring_back_pending(&q->tx.ring);
    bool any = false;

    while (pending > 0 && budget > 0 && queue_has_room(b, q)) {
        struct net_request r;

        if (net_request_take(&q->tx.ring, (uint32_t)pending, &r, &b->broken) < 0)
            return true;
        job_take(b, &q->tx, &r);
        pending -= (int)r.slots;
        budget--;
        any = true;
    }
    if (pending < 0)
        b->broken = "claims more requests than its ring has";
    return any;
}

/* Asks for an event, with a last look: whether there is more to take. */
static bool queue_rest(struct net_back *b, struct net_queue *q)
{
    int pending = ring_back_rest(&q->tx.ring);

    if (pending < 0)
        b->broken = "claims more requests than its ring has";
    return pending > 0 && queue_has_room(b, q);
}

bool net_back_take(struct net_back *b)
{
    bool any = false;

    for (uint32_t i = 0; i < b->queue_count && is_serving(b); i++) {
        struct net_queue *q = &b->queues[i];

        any = net_rx_retry(&q->rx) || any;
        if (q->rx.broken)
            b->broken = "claims more buffers than its ring has";
        else
            any = queue_take(b, q) || any;
    }
    for (uint32_t i = 0; i < b->queue_count && is_serving(b); i++)
        any = queue_rest(b, &b->queues[i]) || any;
    return any;
}

struct net_packet *net_back_next(struct net_back *b)
{
    for (uint32_t i = 0; i < b->queue_count && is_serving(b); i++) {
        struct net_tx *t = &b->queues[i].tx;

        while (t->unread) {
            struct net_job *job = t->unread;

            /* Not for each: behind the heads, what is sent meanwhile collects for one more. */
            if (b->batch->calls == b->heads_at)
                net_batch_run(b->batch);
            t->unread = job->next;
            if (job->done)
                continue;
            if (!job->failed) {
                job->packet.refs = 1;
                return &job->packet;
            }
            b->port.counters.in_drops[NET_DROP_ERROR]++;
            job_end(job, NETIF_RSP_ERROR);
        }
    }
    return NULL;
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_told(const struct ring_back *ring)
{
    return ring->told == ring->rsp_prod;
}

static void port_send(struct net_back *b, evtchn_port_t port)
{
    b->events++;
    event_notify(port);
}

/* Small packets that were sent: their sender is hardly waiting for them. */
static bool may_wait(const struct net_queue *q)
{
    const struct net_tx *t = &q->tx;

    return !q->tell_due && t->ring.rsp_prod - t->ring.told < NET_QUIET_SLOTS &&
           t->quiet_bytes < NET_QUIET_BYTES;
}

/* Whether answers begin to wait for company, so that there will be a deadline. */
static bool queue_tell(struct net_back *b, struct net_queue *q)
{
    bool rx = !is_told(&q->rx.ring) && ring_back_notify(&q->rx.ring), tx = false;

    if (!is_told(&q->tx.ring) && (rx || !may_wait(q))) {
        tx = ring_back_notify(&q->tx.ring);
        q->tx.quiet_bytes = 0;
        q->tell_at = 0;
    }
    if (tx || (rx && q->rx_port == 0))
        port_send(b, q->tx_port);
    if (rx && q->rx_port != 0)
        port_send(b, q->rx_port);
    if (is_told(&q->tx.ring) || q->tell_at != 0)
        return false;
    q->tell_at = UINT64_MAX;
    return true;
}

bool net_back_answer(struct net_back *b)
{
    bool look_again = false;

    back_flush(&b->port);
    for (uint32_t i = 0; i < b->queue_count && is_serving(b); i++) {
        struct net_queue *q = &b->queues[i];
        bool had_room = queue_has_room(b, q);

        net_tx_answer(&q->tx, &b->free_jobs);
        look_again = look_again || (!had_room && queue_has_room(b, q));
        look_again = queue_tell(b, q) || look_again;
    }
    return look_again;
}

/* When the front end is told of answers that wait for company; now or before: it is due. */
static uint64_t quiet_until(struct net_queue *q, uint64_t now)
{
    if (is_told(&q->tx.ring))
        q->tell_at = 0;
    else if (q->tell_at == UINT64_MAX)
        q->tell_at = now + NET_QUIET_NS;
    q->tell_due = q->tell_at != 0 && q->tell_at <= now;
    return q->tell_at == 0 ? UINT64_MAX : q->tell_at;
}

uint64_t net_back_expire(struct net_back *b, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < b->queue_count && is_serving(b); i++) {
        uint64_t wait = net_rx_expire(&b->queues[i].rx, now, NET_WAIT_NS);
        uint64_t quiet = quiet_until(&b->queues[i], now);

        next = wait < next ? wait : next;
        next = quiet < next ? quiet : next;
    }
    return next;
}

void net_back_headroom(struct net_back *b, uint32_t xdp_headroom)
{
    bool whole = b->scatter && xdp_headroom == 0;

    if (xdp_headroom > NET_HEADROOM_MAX)
        xdp_headroom = NET_HEADROOM_MAX;
    b->port.abilities.scatter = whole;
    b->port.abilities.gso4 = whole && b->gso4;
    b->port.abilities.gso6 = whole && b->gso6;
    for (uint32_t i = 0; i < NET_QUEUES_MAX; i++) {
        b->queues[i].rx.headroom = (uint16_t)xdp_headroom;
        b->queues[i].rx.scatter = whole;
    }
}

void net_back_multicast_control(struct net_back *b, bool wanted)
{
    b->groups.wanted = wanted;
}
