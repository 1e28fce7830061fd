/* Multicast filters. */
#include "net_groups.h"

#include <string.h>

#define ADDRESS_LEN 6u

static bool is_group(const uint8_t *address)
{
    return address[0] & 1;
}

static uint32_t find(const struct net_groups *g, const uint8_t *address)
{
    uint32_t i = 0;

    while (i < g->count && memcmp(g->addresses[i], address, ADDRESS_LEN) != 0)
        i++;
    return i;
}

bool net_groups_add(struct net_groups *g, const uint8_t *address)
{
    uint32_t at = find(g, address);

    if (at < g->count)
        return true;
    if (!is_group(address) || at == NET_GROUPS_MAX)
        return false;
    memcpy(g->addresses[g->count++], address, ADDRESS_LEN);
    return true;
}

void net_groups_del(struct net_groups *g, const uint8_t *address)
{
    uint32_t at = find(g, address);

    if (at < g->count)
        memcpy(g->addresses[at], g->addresses[--g->count], ADDRESS_LEN);
}

bool net_groups_pass(const struct net_groups *g, const uint8_t *address)
{
    static const uint8_t everybody[ADDRESS_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return !g->wanted || g->lost || !is_group(address) ||
           memcmp(address, everybody, ADDRESS_LEN) == 0 || find(g, address) < g->count;
}
