/* The way of a frame: in, looked at, out of one port or many. */
#include "switch.h"

#include <string.h>

#include <xen/errno.h>

#define ETHERNET      14u
#define TAG           4u
#define ETHERTYPE_TAG 0x8100u

static uint64_t mac_at(const uint8_t *at)
{
    uint64_t mac = 0;

    for (unsigned i = 0; i < 6; i++)
        mac = mac << 8 | at[i];
    return mac;
}

static bool is_many(uint64_t mac)
{
    return mac >> 40 & 1;
}

void switch_init(struct switch_bridge *bridge, struct switch_pool *pool, uint64_t seed)
{
    memset(bridge, 0, sizeof(*bridge));
    bridge->pool = pool;
    switch_table_init(&bridge->table, seed);
}

int switch_add(struct switch_bridge *bridge, struct switch_port *port, struct net_port *net,
               const struct switch_port_config *config, uint64_t now)
{
    uint16_t number = 0;

    while (number < SWITCH_PORTS_MAX && bridge->ports[number])
        number++;
    if (number == SWITCH_PORTS_MAX)
        return -XEN_ENOSPC;
    memset(port, 0, sizeof(*port));
    port->net = net;
    port->number = number;
    port->bridge = bridge;
    bridge->ports[number] = port;
    switch_table_open(&bridge->table, number,
                      config->uplink ? SWITCH_SHARE_UPLINK : SWITCH_SHARE_GUEST);
    switch_change(port, config, now);
    return 0;
}

void switch_change(struct switch_port *port, const struct switch_port_config *config, uint64_t now)
{
    (void)now;
    switch_table_clear(&port->bridge->table, port->number);
    port->config = *config;
    port->mac = mac_at(config->mac);
}

void switch_remove(struct switch_port *port, uint64_t now)
{
    struct switch_bridge *bridge = port->bridge;

    switch_flush(bridge, now);
    switch_table_close(&bridge->table, port->number);
    bridge->ports[port->number] = NULL;
    port->bridge = NULL;
}

void switch_link_down(struct switch_port *port)
{
    switch_table_clear(&port->bridge->table, port->number);
}

static void send(struct switch_port *to, struct net_packet *packet, struct net_tag tag)
{
    enum net_drop drop = NET_DROP_LINK;

    if (to->net->up)
        drop = to->net->driver->send(to->net, packet, tag);
    if (drop != NET_DROP_NONE) {
        to->net->counters.out_drops[drop]++;
        return;
    }
    to->dirty = true;
    to->net->counters.out_packets++;
    to->net->counters.out_bytes += packet->len;
}

static void flood(struct switch_port *from, struct net_packet *packet, struct net_tag tag)
{
    for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
        struct switch_port *to = from->bridge->ports[i];

        if (to && to != from && to->net->up)
            send(to, packet, tag);
    }
}

/* Takes a tag out of the head: the addresses move up to what follows it. */
static struct net_tag take_tag(struct net_packet *p)
{
    struct net_tag tag = {.present = p->head_len >= ETHERNET + TAG &&
                                     (p->head[12] << 8 | p->head[13]) == ETHERTYPE_TAG};

    if (!tag.present)
        return tag;
    tag.tci = (uint16_t)(p->head[14] << 8 | p->head[15]);
    memmove(p->head + TAG, p->head, 12);
    p->head += TAG;
    p->head_dma += TAG;
    p->head_len = (uint16_t)(p->head_len - TAG);
    p->len -= TAG;
    return tag;
}

void switch_input(struct switch_port *from, struct net_packet *packet, uint64_t now)
{
    struct switch_bridge *bridge = from->bridge;
    struct net_counters *counters = &from->net->counters;

    if (packet->head_len < ETHERNET || is_many(mac_at(packet->head + 6))) {
        counters->in_drops[NET_DROP_MALFORMED]++;
        return;
    }
    counters->in_packets++;
    counters->in_bytes += packet->len;

    struct net_tag tag = take_tag(packet);
    uint16_t vid = tag.present ? tag.tci & 0xfff : 0;
    uint64_t to = mac_at(packet->head);

    if (switch_table_learn(&bridge->table, from->number, mac_at(packet->head + 6), vid, now) ==
        SWITCH_MOVED)
        bridge->moves++;

    const struct switch_entry *entry =
        is_many(to) ? NULL : switch_table_find(&bridge->table, to, vid, now);

    if (!entry)
        flood(from, packet, tag);
    else if (entry->port != from->number)
        send(bridge->ports[entry->port], packet, tag);
}

void switch_flush(struct switch_bridge *bridge, uint64_t now)
{
    (void)now;
    for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
        struct switch_port *port = bridge->ports[i];

        if (!port || !port->dirty)
            continue;
        port->dirty = false;
        port->net->driver->flush(port->net);
    }
}

uint64_t switch_deadline(const struct switch_bridge *bridge, uint64_t now)
{
    (void)bridge;
    (void)now;
    return SWITCH_NEVER;
}

uint64_t switch_tick(struct switch_bridge *bridge, uint64_t now)
{
    switch_flush(bridge, now);
    return switch_deadline(bridge, now);
}

uint64_t switch_may_send(const struct switch_port *port, uint64_t now)
{
    (void)port;
    return now;
}
