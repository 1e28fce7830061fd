/* Frames through a virtio network device's queues. */
#include <string.h>

#include <abi/addr.h>

#include <rt/memory.h>

#include "virtio_net.h"

/* So many buffers are given at a time. */
#define REFILL_BATCH 32u

_Static_assert(NIC_FRAMES * sizeof(struct virtio_net_header) <= PAGE_SIZE, "headers");
_Static_assert(PAGE_SIZE % sizeof(struct virtio_net_header) == 4, "in one page from its start");

static struct virtio_net *of(struct nic *n)
{
    return (struct virtio_net *)n;
}

void virtio_net_rings_reset(struct virtio_net *v)
{
    memset(v->frames, 0, sizeof(v->frames));
    v->left = 0;
}

/* ---- in --------------------------------------------------------------------------------- */

/* A frame that the device has from somebody who left work to it must be what it says. */
static bool offload_read(const struct virtio_net_header *h, struct net_packet *p)
{
    struct nic_layout l;
    uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_GSO_ECN;

    if (!(h->flags & VIRTIO_NET_BLANK)) {
        p->checksum = h->flags & VIRTIO_NET_GOOD ? NET_CHECKSUM_GOOD : NET_CHECKSUM_UNKNOWN;
        return type == VIRTIO_NET_GSO_NONE;
    }
    if (!nic_layout_find(&l, p) || l.l4 != h->checksum_start ||
        l.checksum != l.l4 + h->checksum_offset)
        return false;
    p->checksum = NET_CHECKSUM_BLANK;
    if (type == VIRTIO_NET_GSO_NONE)
        return true;
    p->gso_size = h->gso_size;
    p->gso = l.is_ip6 ? NET_GSO_TCP6 : NET_GSO_TCP4;
    return l.is_tcp && h->gso_size > 0 &&
           type == (l.is_ip6 ? VIRTIO_NET_GSO_TCP6 : VIRTIO_NET_GSO_TCP4);
}

/* The first buffer of a frame begins with a header. */
static void header_read(struct virtio_net *v, uint32_t number, uint32_t len)
{
    struct nic_in *in = &v->nic.in;
    bool mergeable = v->virtio.features & VIRTIO_NET_F_MRG_RXBUF;

    v->header = (struct virtio_net_header){0};
    if (len >= sizeof(v->header))
        shm_copy_in(&v->header, nic_in_buffer(in, number), sizeof(v->header));
    else
        nic_in_spoil(in, NET_DROP_MALFORMED);
    v->left = mergeable && v->header.buffers > 0 ? v->header.buffers : 1;
    if (v->left > NET_PIECES_MAX)
        nic_in_spoil(in, NET_DROP_MALFORMED);
}

static struct net_packet *filled(struct virtio_net *v, uint32_t number, uint32_t len)
{
    uint32_t offset = 0;

    if (v->left == 0) {
        header_read(v, number, len);
        offset = sizeof(v->header);
        len = len > offset ? len - offset : 0;
    }

    struct net_packet *p = nic_in_filled(&v->nic.in, number, offset, len, --v->left == 0);

    if (!p || offload_read(&v->header, p))
        return p;
    v->nic.port.counters.in_drops[NET_DROP_MALFORMED]++;
    net_packet_put(p);
    return NULL;
}

struct net_packet *virtio_net_take(struct nic *n)
{
    struct virtio_net *v = of(n);
    uint32_t len;
    int head;

    while ((head = virtq_take(&v->in, &len)) >= 0) {
        struct net_packet *p = filled(v, v->buffers[head], len);

        if (p)
            return p;
    }
    return NULL;
}

void virtio_net_refill(struct nic *n)
{
    struct virtio_net *v = of(n);
    int number;

    if (v->in.free_count < REFILL_BATCH)
        return;
    while (v->in.free_count > 0 && (number = nic_in_give(&n->in)) >= 0) {
        struct virtq_piece piece = {
            .address = n->in.dma[number], .len = VIRTIO_NET_BUFFER, .written = true};

        v->buffers[virtq_put(&v->in, &piece, 1)] = (uint16_t)number;
    }
    virtq_kick(&v->in);
}

/* ---- out -------------------------------------------------------------------------------- */

static struct virtio_net_header header_of(const struct nic_frame *f)
{
    const struct nic_layout *l = &f->layout;
    struct virtio_net_header h = {0};

    if (!f->blank)
        return h;
    h.flags = VIRTIO_NET_BLANK;
    h.checksum_start = l->l4;
    h.checksum_offset = (uint16_t)(l->checksum - l->l4);
    if (f->gso_size > 0) {
        h.gso_type = l->is_ip6 ? VIRTIO_NET_GSO_TCP6 : VIRTIO_NET_GSO_TCP4;
        h.gso_size = f->gso_size;
        h.header_len = l->payload;
    }
    return h;
}

bool virtio_net_put(struct nic *n, struct nic_frame *f)
{
    struct virtio_net *v = of(n);
    struct virtio_net_header *h = &v->headers[f - n->out.frames];
    struct virtq_piece pieces[NET_PIECES_MAX + 2];
    uint32_t count = f->reach.span_count + 1u;

    if (v->out.free_count < count)
        return false;
    *h = header_of(f);
    pieces[0] = (struct virtq_piece){.address = memory_dma_address(h), .len = sizeof(*h)};
    for (uint32_t i = 1; i < count; i++)
        pieces[i] = (struct virtq_piece){.address = f->reach.spans[i - 1].dma,
                                         .len = f->reach.spans[i - 1].len};
    v->frames[virtq_put(&v->out, pieces, count)] = f;
    return true;
}

void virtio_net_kick(struct nic *n)
{
    virtq_kick(&of(n)->out);
}

bool virtio_net_reap(struct nic *n)
{
    struct virtio_net *v = of(n);
    bool any = false;
    uint32_t written;
    int head;

    while ((head = virtq_take(&v->out, &written)) >= 0) {
        nic_out_done(n, v->frames[head], true);
        v->frames[head] = NULL;
        any = true;
    }
    return any;
}
