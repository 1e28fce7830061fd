/*
 * The way out of a port. Most frames go straight to its driver. Those that the
 * receiver's bandwidth holds back, or that have to be changed for it, wait in a
 * bounded queue, as copies from the next flush on.
 *
 * Bandwidth towards a guest is shaped, not policed. A policer that drops makes TCP halve its
 * window again and again, far under the rate unless the bucket holds a whole round trip; and
 * with segments of 64 KiB a loss is a large one. A queue of a tenth of a second lets its window
 * find the rate, and overflows before waiting becomes annoying. The price is a copy of what
 * waits, paid by traffic that is slow by definition.
 */
#include "switch_internal.h"

#define QUEUE_FRAMES 128u
#define PAGE_LEN     4096u

uint32_t switch_cost(const struct net_packet *packet, const struct switch_layout *l)
{
    if (packet->gso == NET_GSO_NONE)
        return packet->len;

    uint32_t segments = (packet->len - l->data + packet->gso_size - 1) / packet->gso_size;

    return packet->len + (segments - 1) * l->data;
}

static bool may_go(const struct switch_port *to, uint64_t now)
{
    return switch_bucket_ready(&to->in) <= now && switch_bucket_ready(&to->in_peak) <= now;
}

static void pay(struct switch_port *to, uint32_t cost, uint64_t now)
{
    switch_bucket_take(&to->in, cost, now);
    switch_bucket_take(&to->in_peak, cost, now);
}

static bool is_limited(const struct switch_port *to)
{
    return to->in.rate != 0 || to->in_peak.rate != 0;
}

enum net_drop switch_port_send(struct switch_port *to, struct net_packet *packet,
                               struct net_tag tag)
{
    struct net_port *net = to->net;
    enum net_drop drop = net->driver->send(net, packet, tag);

    to->dirty = true;
    if (drop == NET_DROP_NONE) {
        net->counters.out_packets++;
        net->counters.out_bytes += packet->len;
    }
    return drop;
}

static void lost(struct switch_port *to, enum net_drop why)
{
    to->net->counters.out_drops[why]++;
    to->bridge->refused += why == NET_DROP_NO_BUFFER;
}

/* ---- what a receiver can take --------------------------------------------------------------- */

static bool must_cut(const struct net_abilities *a, const struct net_packet *p)
{
    return (p->gso == NET_GSO_TCP4 && !(a->gso4 && a->scatter)) ||
           (p->gso == NET_GSO_TCP6 && !(a->gso6 && a->scatter));
}

static bool must_sum(const struct net_abilities *a, const struct net_packet *p, bool is6)
{
    return p->checksum == NET_CHECKSUM_BLANK && !switch_takes_sum(a, is6);
}

static bool is_too_long(const struct net_abilities *a, const struct net_packet *p, uint16_t data)
{
    uint32_t len = p->gso == NET_GSO_NONE ? p->len : (uint32_t)data + p->gso_size;

    return len > (uint32_t)a->mtu + FRAME_ETHERNET || (!a->scatter && len > PAGE_LEN);
}

/* ---- in -------------------------------------------------------------------------------------- */

/*
 * Nobody takes more of the pool than is left for the others after it, whoever
 * comes first; and a limited port no more than it sends in a short while.
 */
static bool has_room(const struct switch_queue *q, const struct switch_pool *pool, uint32_t len,
                     uint32_t pages)
{
    return q->count < QUEUE_FRAMES && q->count < switch_pool_spare(pool) &&
           q->pages + pages <= pool->free_pages && q->bytes + len <= q->max_bytes;
}

static struct switch_made *find_room(struct switch_port *to, const struct net_packet *packet,
                                     uint16_t split)
{
    struct switch_pool *pool = to->bridge->pool;

    if (!has_room(&to->queue, pool, packet->len, (packet->len - split + PAGE_LEN - 1) / PAGE_LEN))
        return NULL;
    return switch_made_for(pool, packet, split);
}

static void append(struct switch_queue *q, struct switch_made *made)
{
    if (q->last)
        q->last->next = made;
    else
        q->first = made;
    q->last = made;
    q->count++;
    q->bytes += made->packet.len;
    q->pages = (uint16_t)(q->pages + made->page_count);
}

static void enqueue(struct switch_port *to, struct net_packet *packet,
                    const struct switch_layout *l, struct net_tag tag, uint64_t now)
{
    uint16_t most = SWITCH_HEAD_SIZE - NET_HEAD_ROOM;
    uint16_t split = packet->head_len < most ? packet->head_len : most;
    struct switch_made *made;

    if (packet->gso != NET_GSO_NONE)
        split = l->data; /* so that it can be cut */
    made = find_room(to, packet, split);
    if (!made && to->bridge->queued) {
        /* A long round. What came in it so far may have nothing to wait for but its end. */
        switch_queue_fetch(to->bridge);
        switch_queue_run(to, now);
        made = find_room(to, packet, split);
    }
    if (!made) {
        lost(to, is_limited(to) ? NET_DROP_RATE : NET_DROP_NO_BUFFER);
        return;
    }
    net_packet_get(packet);
    made->original = packet;
    made->packet.len = packet->len;
    made->layout = *l;
    made->tag = tag;
    append(&to->queue, made);
    to->bridge->queued = true;
}

void switch_queue_send(struct switch_port *to, struct net_packet *packet,
                       const struct switch_frame *frame, struct net_tag tag, uint64_t now)
{
    const struct net_abilities *a = &to->net->abilities;
    struct switch_layout l = {.is6 = frame->kind == FRAME_IP6,
                              .protocol = frame->protocol,
                              .ip = frame->ip,
                              .upper = frame->upper,
                              .data = frame->data,
                              .end = frame->end};
    enum net_drop drop;

    if (!to->net->up) {
        lost(to, NET_DROP_LINK);
        return;
    }
    if (is_too_long(a, packet, l.data)) {
        lost(to, NET_DROP_TOO_LONG);
        return;
    }
    if (to->queue.first || !may_go(to, now) || must_cut(a, packet) || must_sum(a, packet, l.is6)) {
        enqueue(to, packet, &l, tag, now);
        return;
    }
    drop = switch_port_send(to, packet, tag);
    if (drop == NET_DROP_NONE)
        pay(to, switch_cost(packet, &l), now);
    else if (drop == NET_DROP_NO_BUFFER && to->config.uplink)
        enqueue(to, packet, &l, tag,
                now); /* a NIC's ring empties by itself, a guest's when it likes */
    else
        lost(to, drop);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void copy_queued(struct switch_bridge *bridge, const struct switch_queue *q)
{
    for (struct switch_made *made = q->first; made; made = made->next)
        if (made->original)
            switch_made_copy(bridge->pool, made, made->original);
}

static void let_go(const struct switch_queue *q)
{
    for (struct switch_made *made = q->first; made; made = made->next) {
        struct net_packet *original = made->original;

        made->original = NULL;
        if (!original)
            continue;
        original->unreadable = original->unreadable || made->failed;
        net_packet_put(original);
    }
}

void switch_queue_fetch(struct switch_bridge *bridge)
{
    if (!bridge->queued)
        return;
    bridge->queued = false;
    for (unsigned i = 0; i < bridge->limit; i++)
        if (bridge->ports[i])
            copy_queued(bridge, &bridge->ports[i]->queue);
    switch_pool_fetch(bridge->pool);
    for (unsigned i = 0; i < bridge->limit; i++)
        if (bridge->ports[i])
            let_go(&bridge->ports[i]->queue);
}

/* ---- out ------------------------------------------------------------------------------------- */

static void drop_first(struct switch_port *port)
{
    struct switch_queue *q = &port->queue;
    struct switch_made *made = q->first;

    q->first = made->next;
    if (!q->first)
        q->last = NULL;
    q->count--;
    q->bytes -= made->packet.len;
    q->pages = (uint16_t)(q->pages - made->page_count);
    q->cut = 0;
    if (made->original)
        net_packet_put(made->original);
    made->original = NULL;
    net_packet_put(&made->packet);
}

/* The next part of the first frame, or all of it; whether it is at its end. */
static enum net_drop run_first(struct switch_port *port, struct switch_made *made, bool *ended,
                               uint64_t now)
{
    const struct net_abilities *a = &port->net->abilities;
    enum net_drop drop;

    *ended = true;
    if (made->failed)
        return NET_DROP_ERROR;
    if (is_too_long(a, &made->packet, made->layout.data))
        return NET_DROP_TOO_LONG; /* it became less able since */
    if (port->queue.cut > 0 || must_cut(a, &made->packet)) {
        drop = switch_cut_next(port, made, now);
        *ended = port->queue.cut >= switch_cut_total(made);
        return drop;
    }
    if (must_sum(a, &made->packet, made->layout.is6))
        switch_sum_finish(&made->packet, &made->layout);
    drop = switch_port_send(port, &made->packet, made->tag);
    if (drop == NET_DROP_NONE)
        pay(port, switch_cost(&made->packet, &made->layout), now);
    return drop;
}

/* The receiver has no room: what waits goes on waiting, but not for ever. */
static bool is_stuck(struct switch_port *port, uint64_t now)
{
    struct switch_queue *q = &port->queue;

    if (q->stuck == 0)
        q->stuck = now + (port->config.uplink ? SWITCH_STUCK_UPLINK : SWITCH_STUCK_GUEST);
    return now < q->stuck;
}

void switch_queue_run(struct switch_port *port, uint64_t now)
{
    struct switch_queue *q = &port->queue;

    if (q->first && !port->net->up)
        switch_queue_clear(port, NET_DROP_LINK);
    while (q->first && may_go(port, now)) {
        bool ended;
        enum net_drop drop = run_first(port, q->first, &ended, now);

        if (drop == NET_DROP_NO_BUFFER) {
            if (!is_stuck(port, now))
                switch_queue_clear(port, NET_DROP_NO_BUFFER);
            return;
        }
        q->stuck = 0;
        if (drop != NET_DROP_NONE)
            lost(port, drop);
        if (ended)
            drop_first(port);
    }
}

void switch_queue_clear(struct switch_port *port, enum net_drop why)
{
    while (port->queue.first) {
        lost(port, why);
        drop_first(port);
    }
    port->queue.stuck = 0;
}

uint64_t switch_queue_deadline(const struct switch_port *port, uint64_t now)
{
    const struct switch_queue *q = &port->queue;
    uint64_t in = switch_bucket_ready(&port->in), peak = switch_bucket_ready(&port->in_peak);

    if (!q->first)
        return SWITCH_NEVER;
    if (q->stuck != 0)
        return q->stuck;
    in = in > peak ? in : peak;
    return in > now ? in : now;
}
