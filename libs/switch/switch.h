/*
 * The switch of a net domain: joins the ports of one bridge (interfaces of
 * guests, and NICs, its uplinks). It has no environment: what it is given is all
 * it knows, time included (nanoseconds, never backwards).
 *
 * How it is driven, for each bridge:
 *   - a frame came in at a port:       switch_input
 *   - the frames of a wake are all in: switch_flush, which also flushes the ports
 *   - the deadline has come:           switch_tick, which gives the next one
 *   - before a guest's frame is taken: switch_may_send; later than now means not before then
 * Nothing of this may be called from inside a port's send, flush or done.
 *
 * References: a frame's sender holds one during switch_input. The switch itself
 * holds a frame until the next switch_flush at most. What has to wait for longer
 * (bandwidth), or has to be changed for a receiver that cannot take it as it is
 * (checksum, segments), is copied into pages of the pool: a slow receiver never
 * keeps a sender's pages.
 *
 * Rules, in the order in which a frame meets them; what loses it is counted at
 * the port named:
 *   from: LINK, RATE (only if switch_may_send was not asked), MALFORMED,
 *         VLAN, MAC_SPOOF, IP_SPOOF, STORM
 *   to:   VLAN, ISOLATED (at the sender), LINK, TOO_LONG, RATE, NO_BUFFER, ERROR
 * A frame for many leaves out ports that may not have it without counting that.
 *
 * VLANs: a port without configuration has untagged frames only, which are VLAN 0;
 * an uplink without configuration has all. Frames to 01:80:c2:00:00:0x are for the
 * next switch, which is this one: they end here.
 *
 * The same MAC at two guests of one VLAN: with no-mac-spoofing an address belongs to
 * whoever was added first, and the other cannot send; without, the one who spoke last has
 * it. Both are told: bridge->collisions, port->collides.
 */
#ifndef SWITCH_H
#define SWITCH_H

#include <net_port.h>

#include <switch_filter.h>
#include <switch_pool.h>
#include <switch_rate.h>
#include <switch_table.h>

#define SWITCH_PORTS_MAX SWITCH_TABLE_PORTS
#define SWITCH_NEVER     UINT64_MAX

#define SWITCH_VLANS     4096u
#define SWITCH_VLAN_NONE 4095u /* as a native VLAN: untagged frames are not for this port */

struct switch_vlans {
    uint16_t native;                     /* of untagged frames */
    uint64_t tagged[SWITCH_VLANS / 64u]; /* by bit */
};

/* Places for ports whose MAC is theirs alone: twice as many as there can be, so that chains end. */
#define SWITCH_FIXED (2u * SWITCH_PORTS_MAX)

/* All zero is a port without rules. */
struct switch_port_config {
    uint8_t mac[6]; /* the guest's; all zero: none is known */
    bool uplink;
    bool isolated;         /* not with others that are; an uplink is not */
    uint8_t filters;       /* SWITCH_NO_... */
    uint8_t address_count; /* 0: the filters go by the first one used */
    struct switch_address addresses[SWITCH_ADDRESSES_MAX];
    struct switch_vlans vlans;
    struct switch_rate rate_in; /* to the guest */
    struct switch_rate rate_out;
    uint32_t storm; /* frames to many in a second; 0: as is usual */
};

struct switch_bridge;

/* What waits to go out of a port, oldest first. */
struct switch_queue {
    struct switch_made *first, *last;
    uint32_t bytes, max_bytes;
    uint16_t count;
    uint16_t pages;
    uint32_t cut;   /* payload bytes of the first that are sent already, as segments */
    uint64_t stuck; /* until when the first may wait for room; 0: it does not */
};

/* Embedded in what has the net_port. */
struct switch_port {
    struct switch_bridge *bridge; /* NULL: not added */
    struct net_port *net;
    struct switch_port_config config;
    uint64_t mac;
    bool collides; /* another port of its VLANs has the same MAC */
    bool dirty;    /* sent to since the last flush */
    uint16_t number;
    uint64_t order; /* which of the ports was added first */
    struct switch_owned owned;
    struct switch_bucket in, in_peak, out, out_peak, storm;
    struct switch_queue queue;
};

struct switch_bridge {
    struct switch_pool *pool;
    struct switch_port *ports[SWITCH_PORTS_MAX]; /* NULL: free */
    uint16_t limit;                              /* there are none from here on */
    bool queued;                                 /* something waits that is not copied yet */
    uint64_t collisions;                         /* times that a port came with another's MAC */
    uint64_t moves;                              /* of addresses between ports */
    uint64_t ended;                              /* frames for this switch itself */
    uint64_t refused;                            /* times that a receiver had no room */
    uint64_t orders;
    uint8_t fixed[SWITCH_FIXED]; /* ports with a MAC of their own, hashed; number + 1, 0: none */
    struct switch_table table;
};

/* seed: any number that guests do not know. The pool may serve many bridges. */
void switch_init(struct switch_bridge *bridge, struct switch_pool *pool, uint64_t seed);

/*
 * A port appears: packets with from == net are its. net and what it is in stay
 * where they are until switch_remove. 0, or -XEN_ENOSPC.
 */
int switch_add(struct switch_bridge *bridge, struct switch_port *port, struct net_port *net,
               const struct switch_port_config *config, uint64_t now);

/* Flushes the bridge first; then nothing in it knows the port any more. */
void switch_remove(struct switch_port *port, uint64_t now);

/* The port's rules change; what was learned of it is forgotten. */
void switch_change(struct switch_port *port, const struct switch_port_config *config, uint64_t now);

/*
 * A frame came in. Its head may be changed: a tag is taken out. The caller's
 * reference is not touched: a frame that went nowhere has it still as its only one.
 */
void switch_input(struct switch_port *from, struct net_packet *packet, uint64_t now);

/* Ends what switch_input began, whichever port it was for. */
void switch_flush(struct switch_bridge *bridge, uint64_t now);

/*
 * Does what is due, flush included; when to call again, or SWITCH_NEVER. The deadline may come
 * nearer by switch_flush: ask switch_deadline after it.
 */
uint64_t switch_tick(struct switch_bridge *bridge, uint64_t now);
uint64_t switch_deadline(const struct switch_bridge *bridge, uint64_t now);

/* When the guest behind the port may send its next frame: not later than now, or a deadline. */
uint64_t switch_may_send(const struct switch_port *port, uint64_t now);

/*
 * The link is down: Ethernet addresses behind it are forgotten, what waits for it is lost. What
 * filters learned and what was sent of a bandwidth stays. A guest can reconnect when it likes: its
 * port should be added when its interface appears and only be down while it is not connected, or
 * it gets a new bucket and another choice of address each time.
 */
void switch_link_down(struct switch_port *port);

/*
 * Values of the store's nodes, docs/abi/net.md, read into a configuration: 0, or -XEN_EINVAL and
 * nothing is changed.
 */
int switch_config_mac(struct switch_port_config *config, const char *text);
int switch_config_vlan(struct switch_port_config *config, const char *text);
int switch_config_filter(struct switch_port_config *config, const char *text);
int switch_config_ip(struct switch_port_config *config, const char *text);
int switch_config_rate(struct switch_rate *rate, const char *text);

#endif
