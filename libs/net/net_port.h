/* The seam between the switch and what frames come from and go to: a guest's interface, a NIC. */
#ifndef NET_PORT_H
#define NET_PORT_H

#include <net_packet.h>

/* Why a frame went no further; a counter of each port, on the side where it was lost. */
enum net_drop {
    NET_DROP_NONE,
    NET_DROP_MALFORMED, /* the sender's slots or headers make no frame */
    NET_DROP_NO_BUFFER, /* the receiver has no room, and did not make any in time */
    NET_DROP_TOO_LONG,  /* for the receiver's MTU, and cannot be cut */
    NET_DROP_MAC_SPOOF, /* sent with another's Ethernet address */
    NET_DROP_IP_SPOOF,  /* sent with an IP or ARP address that is not the sender's */
    NET_DROP_VLAN,      /* a tag that this port may not use */
    NET_DROP_ISOLATED,  /* between two isolated ports */
    NET_DROP_RATE,      /* over the port's bandwidth */
    NET_DROP_STORM,     /* over the limit of broadcasts */
    NET_DROP_GROUP,     /* multicast that the receiver has not asked for */
    NET_DROP_LINK,      /* the port is not connected, or its cable is out */
    NET_DROP_ERROR,     /* the copy, the map or the device failed */
    NET_DROPS,
};

/* As the guest or the wire sees it: rx into the guest or out to the wire is the switch's send. */
struct net_counters {
    uint64_t in_packets, in_bytes;   /* from this port into the switch */
    uint64_t out_packets, out_bytes; /* from the switch out of this port */
    uint64_t in_drops[NET_DROPS];
    uint64_t out_drops[NET_DROPS];
};

/* What may be sent to a port as it is; what it lacks is done in software before. */
struct net_abilities {
    bool checksum4, checksum6; /* takes NET_CHECKSUM_BLANK for IPv4, IPv6 */
    bool gso4, gso6;
    bool scatter; /* more than one page */
    uint16_t mtu; /* of the payload behind the Ethernet header */
};

/* A 802.1Q tag that a frame carries beside it; 0: none. The head never holds it in the switch. */
struct net_tag {
    bool present;
    uint16_t tci;
};

struct net_port_driver {
    /*
     * Takes a frame out of this port, in the order given. It may look at and
     * copy everything until flush, and takes a reference if it needs it longer.
     * The tag, if present, is to be put into the frame. NET_DROP_NONE, or why it
     * is not sent; the switch counts. A port that loses a frame after it took it
     * corrects its counters itself.
     */
    enum net_drop (*send)(struct net_port *port, struct net_packet *packet, struct net_tag tag);
    /*
     * Does for good what was sent since the last flush. Ports of one kind share
     * their calls: the first one's flush does the copies of all.
     */
    void (*flush)(struct net_port *port);
    /* Nobody holds a packet any more that this port gave to the switch. */
    void (*done)(struct net_port *port, struct net_packet *packet);
};

/* Embedded in what it is a port of. */
struct net_port {
    const struct net_port_driver *driver;
    struct net_abilities abilities;
    struct net_counters counters;
    bool up; /* connected, with link */
};

#endif
