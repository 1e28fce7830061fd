/* The multicast addresses that a front end wants to hear. */
#ifndef NET_GROUPS_H
#define NET_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#define NET_GROUPS_MAX 64u

struct net_groups {
    bool wanted; /* filtered at all */
    bool lost;   /* a predecessor knew them: all are let through */
    uint32_t count;
    uint8_t addresses[NET_GROUPS_MAX][6];
};

/* False: there is no room, or it is no multicast address. */
bool net_groups_add(struct net_groups *g, const uint8_t *address);
void net_groups_del(struct net_groups *g, const uint8_t *address);

/* Whether a frame to this address is for the front end, as far as groups go. */
bool net_groups_pass(const struct net_groups *g, const uint8_t *address);

#endif
