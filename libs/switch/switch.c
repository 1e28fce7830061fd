/* The way of a frame: in, looked at, out of one port or many. */
#include "switch_internal.h"

#include <string.h>

/*
 * What a guest may have sent beyond its bandwidth: a few frames that were on
 * their way when the back end was told to stop, never more.
 */
#define OUT_DEBT (256u * SWITCH_KIB)

/* 01:80:c2:00:00:00 to :0f, which no bridge passes on (802.1D, table 7-10). */
#define LINK_LOCAL      UINT64_C(0x0180c2000000)
#define LINK_LOCAL_MASK UINT64_C(0xfffffffffff0)

/* A frame under way. */
struct way {
    struct switch_port *from;
    struct net_packet *packet;
    struct switch_frame frame;
    uint16_t vid;
    uint16_t priority; /* the tag's other bits */
    uint64_t now;
};

/* Takes a tag out of the head: the addresses move up to what follows it. */
static struct net_tag take_tag(struct net_packet *p)
{
    struct net_tag tag = {.present = p->head_len >= FRAME_ETHERNET + FRAME_TAG &&
                                     switch_get16(p->head + 12) == FRAME_TYPE_TAG};

    if (!tag.present)
        return tag;
    tag.tci = switch_get16(p->head + 14);
    memmove(p->head + FRAME_TAG, p->head, 12);
    p->head += FRAME_TAG;
    p->head_len = (uint16_t)(p->head_len - FRAME_TAG);
    p->len -= FRAME_TAG;
    return tag;
}

/* Which VLAN a frame is of. A tag with number 0 says a priority only. */
static bool find_vlan(struct way *w, struct net_tag tag)
{
    const struct switch_vlans *vlans = &w->from->config.vlans;
    uint16_t vid = tag.present ? tag.tci & 0xfff : 0;

    w->priority = tag.tci & 0xf000;
    w->vid = vid ? vid : vlans->native;
    if (vid == 0)
        return w->vid != SWITCH_VLAN_NONE;
    return vlans->tagged[vid / 64u] >> vid % 64u & 1;
}

/* ---- out ------------------------------------------------------------------------------------- */

/*
 * A second tag is the business of whoever sees the first one. Without the first
 * it would be taken for it, and a guest would choose its VLAN by itself.
 */
static bool has_inner_tag(const struct switch_frame *f)
{
    return f->type == FRAME_TYPE_TAG || f->type == FRAME_TYPE_TAG_OUTER ||
           f->type == FRAME_TYPE_TAG_OLD;
}

static void send_to(struct way *w, struct switch_port *to)
{
    struct net_tag tag = {.present = to->config.vlans.native != w->vid};

    if (tag.present)
        tag.tci = w->priority | w->vid;
    if (!tag.present && has_inner_tag(&w->frame)) {
        to->net->counters.out_drops[NET_DROP_VLAN]++;
        return;
    }
    switch_queue_send(to, w->packet, &w->frame, tag, w->now);
}

static bool are_apart(const struct switch_port *a, const struct switch_port *b)
{
    return a->config.isolated && b->config.isolated;
}

/* What nobody is known to have is not for who can only have the address that he was given. */
static bool may_want(const struct way *w, const struct switch_port *to)
{
    return switch_frame_is_many(w->frame.to) || !switch_port_is_fixed(to);
}

static void flood(struct way *w)
{
    for (unsigned i = 0; i < w->from->bridge->limit; i++) {
        struct switch_port *to = w->from->bridge->ports[i];

        if (to && to != w->from && to->net->up && switch_port_has(to, w->vid) &&
            !are_apart(w->from, to) && may_want(w, to))
            send_to(w, to);
    }
}

/*
 * Who was given an address that nobody has been seen with yet, as right after a restart:
 * what is for another guest is not for the wire, nor for all guests.
 */
static struct switch_port *find_given(const struct way *w)
{
    for (unsigned i = 0; i < w->from->bridge->limit; i++) {
        struct switch_port *port = w->from->bridge->ports[i];

        if (port && port->mac == w->frame.to && switch_port_has(port, w->vid))
            return port;
    }
    return NULL;
}

/* NULL: for all. */
static struct switch_port *find_receiver(const struct way *w)
{
    struct switch_bridge *bridge = w->from->bridge;
    struct switch_port *port;
    const struct switch_entry *entry;

    if (switch_frame_is_many(w->frame.to))
        return NULL;
    port = switch_fixed_find(bridge, w->frame.to, w->vid);
    if (port)
        return port;
    entry = switch_table_find(&bridge->table, w->frame.to, w->vid, w->now);
    return entry ? bridge->ports[entry->port] : find_given(w);
}

static enum net_drop forward(struct way *w)
{
    struct switch_port *to = find_receiver(w);

    if ((w->frame.to & LINK_LOCAL_MASK) == LINK_LOCAL) {
        w->from->bridge->ended++;
        return NET_DROP_NONE;
    }
    if (!to) {
        if (switch_bucket_ready(&w->from->storm) > w->now)
            return NET_DROP_STORM;
        switch_bucket_take(&w->from->storm, 1, w->now);
        flood(w);
        return NET_DROP_NONE;
    }
    if (to == w->from)
        return NET_DROP_NONE; /* it has been there already */
    if (are_apart(w->from, to))
        return NET_DROP_ISOLATED;
    send_to(w, to);
    return NET_DROP_NONE;
}

/* ---- in -------------------------------------------------------------------------------------- */

/* What the sender pays, as soon as it is known to be a frame; false: it owes too much. */
static bool charge(struct way *w)
{
    struct switch_port *from = w->from;
    struct switch_layout l = {.data = w->frame.data};
    uint32_t cost = switch_cost(w->packet, &l);

    if (switch_bucket_owes(&from->out, OUT_DEBT, w->now) ||
        switch_bucket_owes(&from->out_peak, OUT_DEBT, w->now))
        return false;
    switch_bucket_take(&from->out, cost, w->now);
    switch_bucket_take(&from->out_peak, cost, w->now);
    return true;
}

static enum net_drop learn(struct way *w)
{
    struct switch_bridge *bridge = w->from->bridge;
    struct switch_port *owner = switch_fixed_find(bridge, w->frame.from, w->vid);

    if (owner)
        return owner == w->from ? NET_DROP_NONE : NET_DROP_MAC_SPOOF;
    if (switch_table_learn(&bridge->table, w->from->number, w->frame.from, w->vid, w->now) ==
        SWITCH_MOVED)
        bridge->moves++;
    return NET_DROP_NONE;
}

static enum net_drop take_in(struct way *w)
{
    struct net_tag tag;
    enum net_drop drop;

    if (!w->from->net->up)
        return NET_DROP_LINK;
    tag = take_tag(w->packet);
    if (!switch_frame_parse(w->packet, &w->frame) || switch_frame_is_many(w->frame.from) ||
        w->frame.from == 0 || !switch_frame_offload_is_sane(w->packet, &w->frame))
        return NET_DROP_MALFORMED;
    if (!charge(w))
        return NET_DROP_RATE;
    if (!find_vlan(w, tag))
        return NET_DROP_VLAN;
    drop = switch_filter_check(w->from, &w->frame, w->vid);
    if (drop == NET_DROP_NONE)
        drop = learn(w);
    return drop != NET_DROP_NONE ? drop : forward(w);
}

void switch_input(struct switch_port *from, struct net_packet *packet, uint64_t now)
{
    struct net_counters *counters = &from->net->counters;
    struct way way = {.from = from, .packet = packet, .now = now};
    uint32_t len = packet->len;
    enum net_drop drop = take_in(&way);

    if (drop != NET_DROP_NONE) {
        counters->in_drops[drop]++;
        return;
    }
    counters->in_packets++;
    counters->in_bytes += len;
}

/* ---- time ------------------------------------------------------------------------------------ */

void switch_flush(struct switch_bridge *bridge, uint64_t now)
{
    switch_queue_fetch(bridge);
    for (unsigned i = 0; i < bridge->limit; i++) {
        struct switch_port *port = bridge->ports[i];

        if (!port)
            continue;
        switch_queue_run(port, now);
        if (!port->dirty)
            continue;
        port->dirty = false;
        port->net->driver->flush(port->net);
    }
}

uint64_t switch_deadline(const struct switch_bridge *bridge, uint64_t now)
{
    uint64_t deadline = SWITCH_NEVER;

    for (unsigned i = 0; i < bridge->limit; i++) {
        uint64_t one =
            bridge->ports[i] ? switch_queue_deadline(bridge->ports[i], now) : SWITCH_NEVER;

        if (one < deadline)
            deadline = one;
    }
    return deadline;
}

uint64_t switch_tick(struct switch_bridge *bridge, uint64_t now)
{
    switch_flush(bridge, now);
    return switch_deadline(bridge, now);
}

uint64_t switch_may_send(const struct switch_port *port, uint64_t now)
{
    uint64_t out = switch_bucket_ready(&port->out), peak = switch_bucket_ready(&port->out_peak);

    out = out > peak ? out : peak;
    return out > now ? out : now;
}
