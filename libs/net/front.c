/* A small front end of a network interface. */
#include "net_front.h"

#include <string.h>

#include <abi/addr.h>

#include <hcall.h>

void net_front_init(struct net_front *f, void *tx_page, void *rx_page, evtchn_port_t tx_port,
                    evtchn_port_t rx_port)
{
    ring_front_init(&f->tx, tx_page, PAGE_SIZE, NET_TX_SLOT_SIZE);
    ring_front_init(&f->rx, rx_page, PAGE_SIZE, NET_RX_SLOT_SIZE);
    f->tx_port = tx_port;
    f->rx_port = rx_port;
}

void net_front_slot(struct net_front *f, const struct netif_tx_request *slot)
{
    ring_front_ask(&f->tx, slot, sizeof(*slot));
}

void net_front_extra(struct net_front *f, const struct netif_extra_info *extra)
{
    ring_front_ask(&f->tx, extra, sizeof(*extra));
}

void net_front_post(struct net_front *f, uint16_t id, grant_ref_t ref)
{
    ring_front_ask(&f->rx, &(struct netif_rx_request){.id = id, .gref = ref},
                   sizeof(struct netif_rx_request));
}

void net_front_kick(struct net_front *f)
{
    bool tx = ring_front_publish(&f->tx);
    bool rx = ring_front_publish(&f->rx);

    if (tx || (rx && f->rx_port == f->tx_port))
        (void)hcall_event_send(&(struct evtchn_send){.port = f->tx_port});
    if (rx && f->rx_port != f->tx_port)
        (void)hcall_event_send(&(struct evtchn_send){.port = f->rx_port});
}

int net_front_answer(struct net_front *f, struct netif_tx_response *response)
{
    int pending = ring_front_rest(&f->tx);

    if (pending <= 0)
        return pending;
    ring_front_take(&f->tx, response, sizeof(*response));
    return 1;
}

/* The extras behind a frame's first response; how many, or -XEN_EIO. */
static int extras_take(struct net_front *f, int pending, struct net_front_frame *frame)
{
    struct netif_extra_info extra;
    int count = 0;

    do {
        if (count == pending || frame->spare_count == 4)
            return -XEN_EIO;
        ring_front_take(&f->rx, &extra, sizeof(extra));
        frame->spare_count++;
        count++;
        if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
            frame->gso_type = extra.u.gso.type;
            frame->gso_size = extra.u.gso.size;
        } else if (extra.type == NET_EXTRA_TYPE_XDP) {
            frame->headroom = extra.u.pad[0];
        } else {
            return -XEN_EIO;
        }
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return count;
}

int net_front_receive(struct net_front *f, struct net_front_frame *frame)
{
    struct netif_rx_response r;
    int pending = ring_front_rest(&f->rx);

    if (pending <= 0)
        return pending;
    memset(frame, 0, sizeof(*frame));
    do {
        if (pending-- == 0 || frame->count == NET_SLOTS_MAX)
            return -XEN_EIO;
        ring_front_take(&f->rx, &r, sizeof(r));
        frame->slots++;
        frame->buffers[frame->count].id = r.id;
        frame->buffers[frame->count].offset = r.offset;
        if (r.status < 0)
            frame->failed = true;
        else
            frame->buffers[frame->count].len = (uint16_t)r.status;
        if (frame->count++ > 0)
            continue;
        frame->flags = r.flags;
        if (r.flags & NETRXF_extra_info) {
            int extras = extras_take(f, pending, frame);

            if (extras < 0)
                return extras;
            pending -= extras;
            frame->slots += (uint32_t)extras;
        }
    } while (r.flags & NETRXF_more_data);
    return 1;
}
