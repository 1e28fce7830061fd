/* Ports come, change and go: their VLANs, whose address is whose, what limits them. */
#include "switch_internal.h"

#include <string.h>

#include <xen/errno.h>

#define QUEUE_BYTES     (512u * SWITCH_KIB)
#define QUEUE_BYTES_MIN (128u * SWITCH_KIB) /* two frames of the largest size */

/* Frames to many in a second that a guest may send, when nobody says; and at once. */
#define STORM_FRAMES 2000u
#define STORM_BURST  4u /* a part of a second */

/* A wake that comes late must not cost bandwidth: no bucket is smaller than this part of a second.
 */
#define BURST_PART 100u
#define PEAK_PART  250u

void switch_init(struct switch_bridge *bridge, struct switch_pool *pool, uint64_t seed)
{
    memset(bridge, 0, sizeof(*bridge));
    bridge->pool = pool;
    switch_table_init(&bridge->table, seed);
}

/* ---- VLANs ----------------------------------------------------------------------------------- */

bool switch_port_has(const struct switch_port *port, uint16_t vid)
{
    const struct switch_vlans *v = &port->config.vlans;

    return vid == v->native || v->tagged[vid / 64u] >> vid % 64u & 1;
}

static bool have_common_vlan(const struct switch_port *a, const struct switch_port *b)
{
    for (uint16_t vid = 0; vid < SWITCH_VLAN_NONE; vid++)
        if (switch_port_has(a, vid) && switch_port_has(b, vid))
            return true;
    return false;
}

static void set_vlans(struct switch_port *port)
{
    static const struct switch_vlans none;
    struct switch_vlans *v = &port->config.vlans;

    if (port->config.uplink && memcmp(v, &none, sizeof(none)) == 0)
        memset(v->tagged, 0xff, sizeof(v->tagged));
    /* 0 is no VLAN's number, and 4095 is reserved: neither is anybody's by a tag. */
    v->tagged[0] &= ~UINT64_C(1);
    v->tagged[SWITCH_VLANS / 64u - 1] &= ~(UINT64_C(1) << 63);
}

/* ---- addresses that are a port's by configuration ------------------------------------------- */

static unsigned place_of(const struct switch_bridge *bridge, uint64_t mac)
{
    return (unsigned)(((mac ^ bridge->table.key) * UINT64_C(0x9e3779b97f4a7c15)) >> 57) %
           SWITCH_FIXED;
}

struct switch_port *switch_fixed_find(const struct switch_bridge *bridge, uint64_t mac,
                                      uint16_t vid)
{
    for (unsigned i = place_of(bridge, mac); bridge->fixed[i] != 0; i = (i + 1) % SWITCH_FIXED) {
        struct switch_port *port = bridge->ports[bridge->fixed[i] - 1u];

        if (port->mac == mac && switch_port_has(port, vid))
            return port;
    }
    return NULL;
}

bool switch_port_is_fixed(const struct switch_port *port)
{
    return port->mac != 0 && (port->config.filters & SWITCH_NO_MAC_SPOOFING);
}

/* The next one by order, after a given one; NULL: there is none. */
static struct switch_port *next_in_order(const struct switch_bridge *bridge, uint64_t after)
{
    struct switch_port *next = NULL;

    for (unsigned i = 0; i < bridge->limit; i++) {
        struct switch_port *port = bridge->ports[i];

        if (port && port->order > after && (!next || port->order < next->order))
            next = port;
    }
    return next;
}

/* In the order in which they were added: the first of two is found first. */
static void fix_addresses(struct switch_bridge *bridge)
{
    struct switch_port *port;
    uint64_t after = 0;

    memset(bridge->fixed, 0, sizeof(bridge->fixed));
    for (; (port = next_in_order(bridge, after)); after = port->order) {
        unsigned i = place_of(bridge, port->mac);

        if (!switch_port_is_fixed(port))
            continue;
        while (bridge->fixed[i] != 0)
            i = (i + 1) % SWITCH_FIXED;
        bridge->fixed[i] = (uint8_t)(port->number + 1);
    }
}

static bool collides(const struct switch_port *port)
{
    for (unsigned i = 0; i < port->bridge->limit && port->mac != 0; i++) {
        const struct switch_port *other = port->bridge->ports[i];

        if (other && other != port && other->mac == port->mac && have_common_vlan(port, other))
            return true;
    }
    return false;
}

static void find_collisions(struct switch_bridge *bridge)
{
    for (unsigned i = 0; i < bridge->limit; i++)
        if (bridge->ports[i])
            bridge->ports[i]->collides = collides(bridge->ports[i]);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static void set_rate(const struct switch_rate *rate, struct switch_bucket *average,
                     struct switch_bucket *peak, uint64_t now)
{
    uint64_t bytes = (uint64_t)rate->average * SWITCH_KIB;
    uint64_t fast = (uint64_t)rate->peak * SWITCH_KIB;

    switch_bucket_init(average, bytes,
                       at_least((uint64_t)rate->burst * SWITCH_KIB, bytes / BURST_PART), now);
    switch_bucket_init(peak, fast, fast / PEAK_PART, now);
}

static void set_limits(struct switch_port *port, uint64_t now)
{
    const struct switch_port_config *c = &port->config;
    uint64_t storm = c->storm == 0 && !c->uplink ? STORM_FRAMES : c->storm;
    uint64_t slowest = c->rate_in.average ? c->rate_in.average : c->rate_in.peak;
    uint64_t bytes = slowest * SWITCH_KIB / 10u;

    set_rate(&c->rate_in, &port->in, &port->in_peak, now);
    set_rate(&c->rate_out, &port->out, &port->out_peak, now);
    switch_bucket_init(&port->storm, storm, storm / STORM_BURST, now);
    if (bytes < QUEUE_BYTES_MIN)
        bytes = QUEUE_BYTES_MIN;
    port->queue.max_bytes = slowest == 0 || bytes > QUEUE_BYTES ? QUEUE_BYTES : (uint32_t)bytes;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static void configure(struct switch_port *port, const struct switch_port_config *config,
                      uint64_t now)
{
    struct switch_bridge *bridge = port->bridge;
    bool collided = port->collides;

    port->config = *config;
    port->config.isolated = config->isolated && !config->uplink;
    port->mac = switch_get_mac(config->mac);
    port->owned = (struct switch_owned){0};
    set_vlans(port);
    set_limits(port, now);
    fix_addresses(bridge);
    find_collisions(bridge);
    bridge->collisions += port->collides && !collided;
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
    port->order = ++bridge->orders;
    port->bridge = bridge;
    bridge->ports[number] = port;
    if (bridge->limit <= number)
        bridge->limit = (uint16_t)(number + 1);
    switch_table_open(&bridge->table, number,
                      config->uplink ? SWITCH_SHARE_UPLINK : SWITCH_SHARE_GUEST);
    configure(port, config, now);
    return 0;
}

void switch_change(struct switch_port *port, const struct switch_port_config *config, uint64_t now)
{
    switch_flush(port->bridge, now);
    switch_queue_clear(port, NET_DROP_VLAN);
    switch_table_clear(&port->bridge->table, port->number);
    configure(port, config, now);
}

void switch_remove(struct switch_port *port, uint64_t now)
{
    struct switch_bridge *bridge = port->bridge;

    switch_flush(bridge, now);
    switch_queue_clear(port, NET_DROP_LINK);
    switch_table_close(&bridge->table, port->number);
    bridge->ports[port->number] = NULL;
    while (bridge->limit > 0 && !bridge->ports[bridge->limit - 1])
        bridge->limit--;
    port->bridge = NULL;
    fix_addresses(bridge);
    find_collisions(bridge);
}

void switch_link_down(struct switch_port *port)
{
    switch_queue_clear(port, NET_DROP_LINK);
    switch_table_clear(&port->bridge->table, port->number);
}
