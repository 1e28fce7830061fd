/* Transmit slots: where a packet ends, and whether it is one. */
#include "net_request.h"

#include <string.h>

#include <abi/addr.h>

/* Ethernet addresses and type: nothing shorter is a frame. */
#define FRAME_MIN 14u

/* Extras are kept by kind; of two of a kind the last counts. What they say of hashes is not used.
 */
static bool extra_keep(struct net_request *r, const struct netif_extra_info *extra)
{
    switch (extra->type) {
    case XEN_NETIF_EXTRA_TYPE_GSO: r->gso = *extra; return true;
    case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
    case XEN_NETIF_EXTRA_TYPE_MCAST_DEL: r->group = *extra; return true;
    case XEN_NETIF_EXTRA_TYPE_HASH:
    case NET_EXTRA_TYPE_XDP: return true;
    default: return false;
    }
}

static int extras_take(struct ring_back *ring, uint32_t pending, struct net_request *r,
                       const char **why)
{
    uint8_t raw[NET_TX_SLOT_SIZE];
    struct netif_extra_info extra;

    do {
        if (r->slots == pending || r->slots > NET_EXTRAS_MAX) {
            *why = "sends a packet whose extras do not end";
            return -XEN_EIO;
        }
        ring_back_take(ring, raw);
        memcpy(&extra, raw, sizeof(extra));
        r->extras |= 1u << r->slots++;
        if (!extra_keep(r, &extra)) {
            *why = "sends an extra of no known kind";
            return -XEN_EIO;
        }
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return 0;
}

static struct netif_tx_request *data_take(struct ring_back *ring, struct net_request *r)
{
    struct netif_tx_request *data = &r->data[r->data_count++];

    ring_back_take(ring, data);
    r->ids[r->slots++] = data->id;
    return data;
}

int net_request_take(struct ring_back *ring, uint32_t pending, struct net_request *r,
                     const char **why)
{
    /* The arrays need no clearing: what is read of them is what was taken. */
    r->slots = r->extras = r->data_count = 0;
    r->gso.type = r->group.type = XEN_NETIF_EXTRA_TYPE_NONE;

    const struct netif_tx_request *last = data_take(ring, r);

    if (last->flags & NETTXF_extra_info) {
        int rc = extras_take(ring, pending, r, why);

        if (rc < 0)
            return rc;
    }
    while (last->flags & NETTXF_more_data) {
        if (r->slots == pending || r->data_count == NET_SLOTS_MAX) {
            *why = "sends a packet of too many slots";
            return -XEN_EIO;
        }
        last = data_take(ring, r);
    }
    return 0;
}

static bool gso_is_good(const struct net_request *r)
{
    if (r->gso.type == 0)
        return true;
    /* Who cuts it writes each segment's sum, over the pseudo header's that must stand there. */
    return r->gso.u.gso.size > 0 && (r->data[0].flags & NETTXF_csum_blank) &&
           (r->gso.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ||
            r->gso.u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6);
}

int16_t net_request_check(struct net_request *r, uint32_t *len)
{
    uint32_t rest = 0;

    *len = r->data[0].size;
    for (uint32_t i = 1; i < r->data_count; i++)
        rest += r->data[i].size;
    if (*len < FRAME_MIN || rest >= *len || !gso_is_good(r))
        return NETIF_RSP_ERROR;
    r->data[0].size = (uint16_t)(*len - rest);
    for (uint32_t i = 0; i < r->data_count; i++)
        if ((uint32_t)r->data[i].offset + r->data[i].size > PAGE_SIZE)
            return NETIF_RSP_ERROR;
    return NETIF_RSP_OKAY;
}
