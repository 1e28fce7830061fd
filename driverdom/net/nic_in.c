/* Packets out of buffers that a device has filled. */
#include "nic_in.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <rt/memory.h>
#include <shm.h>

#define HEAD_SPACE (NET_HEAD_ROOM + NET_HEAD_MAX)
#define PAGES(n)   (((n) + PAGE_SIZE - 1) / PAGE_SIZE)

static void buffer_free(struct nic_in *in, uint16_t number)
{
    in->free[in->free_count++] = number;
}

int nic_in_open(struct nic_in *in, struct net_port *port, uint32_t size)
{
    *in = (struct nic_in){.port = port, .size = size};
    in->memory = memory_buffers_alloc(PAGES((size_t)NIC_BUFFERS * size));
    in->heads = memory_buffers_alloc(PAGES((size_t)NIC_PACKETS * HEAD_SPACE));
    in->packets = memory_buffers_alloc(PAGES(NIC_PACKETS * sizeof(*in->packets)));
    if (!in->memory || !in->heads || !in->packets)
        return -XEN_ENOMEM;
    for (uint32_t i = NIC_BUFFERS; i-- > 0;) {
        in->dma[i] = memory_dma_address(nic_in_buffer(in, i));
        buffer_free(in, (uint16_t)i);
    }
    return 0;
}

/* One that was never taken: memory is not touched before it is needed. */
static struct nic_packet *packet_first(struct nic_in *in)
{
    uint32_t n = in->packet_count;

    if (n == NIC_PACKETS)
        return NULL;
    in->packet_count++;
    in->packets[n] =
        (struct nic_packet){.head = in->heads + (size_t)n * HEAD_SPACE + NET_HEAD_ROOM};
    return &in->packets[n];
}

int nic_in_give(struct nic_in *in)
{
    if (in->free_count == 0)
        return -1;

    uint16_t number = in->free[--in->free_count];

    in->held[number] = true;
    return number;
}

void nic_in_forget(struct nic_in *in)
{
    for (uint16_t i = 0; i < NIC_BUFFERS; i++)
        if (in->held[i]) {
            in->held[i] = false;
            buffer_free(in, i);
        }
    if (in->open)
        nic_in_done(in, &in->open->packet);
    in->open = NULL;
    in->spoiled = NET_DROP_NONE;
}

static struct nic_packet *packet_start(struct nic_in *in)
{
    struct nic_packet *p = in->first_free;

    if (p)
        in->first_free = p->next;
    else
        p = packet_first(in);
    if (!p)
        return NULL;
    p->packet = (struct net_packet){.from = in->port, .refs = 1, .head = p->head};
    return p;
}

void nic_in_done(struct nic_in *in, struct net_packet *packet)
{
    struct nic_packet *p = (struct nic_packet *)packet;

    for (uint32_t i = 0; i < packet->piece_count; i++)
        buffer_free(in, p->buffers[i]);
    packet->piece_count = 0;
    p->next = in->first_free;
    in->first_free = p;
}

/*
 * The first bytes of a frame are copied, as what is looked at must not change
 * any more; what stands behind them stays in the buffer. Whether it does.
 */
static bool bytes_add(struct nic_in *in, struct nic_packet *p, uint32_t number, uint32_t offset,
                      uint32_t len)
{
    struct net_packet *packet = &p->packet;
    const uint8_t *bytes = (const uint8_t *)nic_in_buffer(in, number) + offset;
    uint32_t head = NET_HEAD_MAX - packet->head_len;

    if (head > len)
        head = len;
    shm_copy_in(packet->head + packet->head_len, bytes, head);
    packet->head_len = (uint16_t)(packet->head_len + head);
    packet->len += len;
    if (head == len)
        return false;

    uintptr_t at = (uintptr_t)(bytes + head);

    p->buffers[packet->piece_count] = (uint16_t)number;
    packet->pieces[packet->piece_count++] = (struct net_piece){
        .is_local = true,
        .offset = (uint16_t)(at & PAGE_MASK),
        .len = (uint16_t)(len - head),
        .page = bytes + head - (at & PAGE_MASK),
        .dma = in->dma[number] - (in->dma[number] & PAGE_MASK),
    };
    return true;
}

void nic_in_spoil(struct nic_in *in, enum net_drop why)
{
    if (in->spoiled == NET_DROP_NONE)
        in->spoiled = why;
}

static struct net_packet *packet_end(struct nic_in *in, bool last)
{
    struct nic_packet *p = in->open;

    if (!last)
        return NULL;
    in->open = NULL;
    if (in->spoiled == NET_DROP_NONE)
        return &p->packet;
    if (p)
        nic_in_done(in, &p->packet);
    in->port->counters.in_drops[in->spoiled]++;
    in->spoiled = NET_DROP_NONE;
    return NULL;
}

struct net_packet *nic_in_filled(struct nic_in *in, uint32_t number, uint32_t offset, uint32_t len,
                                 bool last)
{
    bool kept = false;

    if (number >= NIC_BUFFERS || !in->held[number])
        return NULL;
    in->held[number] = false;
    if (!in->open && !in->spoiled)
        in->open = packet_start(in);
    if (!in->open)
        nic_in_spoil(in, NET_DROP_NO_BUFFER);
    else if (offset > in->size || len > in->size - offset ||
             in->open->packet.piece_count == NET_PIECES_MAX ||
             in->open->packet.len + len > NET_FRAME_MAX)
        nic_in_spoil(in, NET_DROP_MALFORMED);
    if (in->spoiled == NET_DROP_NONE)
        kept = bytes_add(in, in->open, number, offset, len);
    if (!kept)
        buffer_free(in, (uint16_t)number);
    return packet_end(in, last);
}
