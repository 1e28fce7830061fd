/* What a port's guest may say it is: Ethernet, IP and ARP addresses of what it sends. */
#ifndef SWITCH_FILTER_H
#define SWITCH_FILTER_H

#include <net_port.h>

#define SWITCH_NO_MAC_SPOOFING 1u
#define SWITCH_NO_IP_SPOOFING  2u
#define SWITCH_NO_ARP_SPOOFING 4u /* neighbour discovery of IPv6 as well */
#define SWITCH_CLEAN_TRAFFIC   7u

#define SWITCH_ADDRESSES_MAX 16u

struct switch_address {
    bool is6;
    uint8_t bytes[16]; /* the first four for IPv4 */
};

/* Of a port without a list of addresses: those it was first to use. */
struct switch_owned {
    bool has4, has6, has_local;
    uint8_t ip4[4];
    uint8_t ip6[16];
    uint8_t local[16]; /* link-local, not made from the MAC */
};

#endif
