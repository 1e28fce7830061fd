/*
 * A card that hangs while nobody sends is not missed by the frames that it keeps:
 * what should come in just does not. So one that is quiet is given a frame of our
 * own, from it to itself, of the type that is kept for testing a wire (and that
 * every receiver drops). If it keeps that one, it is reset as for any other.
 */
#include "nic.h"

#include <string.h>

#include <rt/memory.h>

#define PROBE_LEN 60u   /* the shortest frame */
#define TYPE_HIGH 0x90u /* Ethernet's Configuration Testing Protocol */

static bool is_worth_it(const struct nic *n)
{
    return n->joined && !n->dead && n->port.up;
}

static void probe_send(struct nic *n)
{
    struct nic_frame *f = n->out.frames;
    uint8_t *page = n->probe.page;

    memcpy(page, n->mac, sizeof(n->mac));
    memcpy(page + sizeof(n->mac), n->mac, sizeof(n->mac));
    page[2 * sizeof(n->mac)] = TYPE_HIGH;
    *f = (struct nic_frame){.len = PROBE_LEN, .reach = {.span_count = 1}};
    f->reach.spans[0] = (struct net_span){memory_dma_address(page), PROBE_LEN};
    if (!n->driver->put(n, f))
        return;
    nic_out_watch(&n->out, f);
    n->driver->kick(n);
}

uint64_t nic_probe_tick(struct nic *n, uint64_t now)
{
    struct nic_probe *p = &n->probe;

    if (!is_worth_it(n))
        return UINT64_MAX;
    if (p->signs != p->seen || p->at == 0) {
        p->seen = p->signs;
        p->at = now + NIC_QUIET_NS;
    }
    if (now < p->at)
        return p->at;
    /* Who has frames is watched already. */
    if (n->out.out_count == 0)
        probe_send(n);
    p->at = now + NIC_QUIET_NS;
    return p->at;
}
