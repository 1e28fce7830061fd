/* Frames through the descriptor rings of an 82574L. */
#include <string.h>

#include <mmio.h>
#include <shm.h>

#include "e1000e.h"

/* So many buffers are given at a time: each word to the device costs. */
#define REFILL_BATCH 32u

/* Of a transmit command, beside the length. */
#define TX_DATA          (1u << 20)
#define TX_END           (1u << 24)
#define TX_FCS           (1u << 25)
#define TX_TSO           (1u << 26)
#define TX_REPORT        (1u << 27)
#define TX_EXT           (1u << 29)
/* Of a context's. */
#define CONTEXT_TCP      (1u << 24)
#define CONTEXT_IP4      (1u << 25)
/* Of `high`. */
#define TX_DONE          (1u << 0)
#define TX_INSERT_IP     (1u << 8)
#define TX_INSERT_L4     (2u << 8)
#define HIGH_HEADER_LEN  8u
#define HIGH_SEGMENT_LEN 16u

#define PROTO_TCP 6u

static struct e1000e *of(struct nic *n)
{
    return (struct e1000e *)n;
}

static uint32_t after(uint32_t i)
{
    return (i + 1) % E1000E_DEPTH;
}

void e1000e_rings_reset(struct e1000e *e)
{
    memset(e->rx, 0, E1000E_DEPTH * sizeof(*e->rx));
    memset(e->tx, 0, E1000E_DEPTH * sizeof(*e->tx));
    memset(e->frames, 0, sizeof(e->frames));
    memset(e->tx_reports, 0, sizeof(e->tx_reports));
    e->context = (struct e1000e_tx){0};
    e->rx_head = e->rx_tail = e->rx_told = 0;
    e->tx_head = e->tx_tail = e->tx_told = 0;
}

/* ---- in --------------------------------------------------------------------------------- */

static uint8_t checksum_of(uint32_t status)
{
    bool seen = status & (E1000E_RX_L4_SEEN | E1000E_RX_UDP_SEEN);

    return seen && !(status & (E1000E_RX_ERR_L4 | E1000E_RX_ERR_IP)) ? NET_CHECKSUM_GOOD
                                                                     : NET_CHECKSUM_UNKNOWN;
}

struct net_packet *e1000e_take(struct nic *n)
{
    struct e1000e *e = of(n);

    while (e->rx_head != e->rx_told) {
        const struct e1000e_rx *d = &e->rx[e->rx_head];
        uint32_t status = shm_read32(&d->status);

        if (!(status & E1000E_RX_DONE))
            return NULL;
        shm_barrier_read();
        if (status & E1000E_RX_ERR_FRAME)
            nic_in_spoil(&n->in, NET_DROP_ERROR);

        struct net_packet *p = nic_in_filled(&n->in, e->buffers[e->rx_head], 0, shm_read16(&d->len),
                                             status & E1000E_RX_END);

        e->rx_head = after(e->rx_head);
        if (p) {
            p->checksum = checksum_of(status);
            return p;
        }
    }
    return NULL;
}

void e1000e_refill(struct nic *n)
{
    struct e1000e *e = of(n);
    uint32_t missing = (e->rx_head - e->rx_tail - 1) % E1000E_DEPTH;
    int number;

    if (missing < REFILL_BATCH)
        return;
    for (; missing > 0 && (number = nic_in_give(&n->in)) >= 0; missing--) {
        struct e1000e_rx *d = &e->rx[e->rx_tail];

        e->buffers[e->rx_tail] = (uint16_t)number;
        shm_write64(&d->address, n->in.dma[number]);
        shm_write32(&d->status, 0);
        e->rx_tail = after(e->rx_tail);
    }
    if (e->rx_tail == e->rx_told)
        return;
    e->rx_told = e->rx_tail;
    shm_barrier_write();
    e1000e_write(e, E1000E_RDT, e->rx_tail);
}

/* ---- out -------------------------------------------------------------------------------- */

static void descriptor_put(struct e1000e *e, uint64_t low, uint32_t command, uint32_t high)
{
    e->tx[e->tx_tail] = (struct e1000e_tx){low, command, high};
    e->tx_reports[e->tx_tail] = false;
    e->tx_tail = after(e->tx_tail);
}

/* A device that cuts a frame wants lengths out of its headers, and out of their sum. */
static void segments_prepare(struct nic *n, const struct nic_frame *f)
{
    const struct nic_layout *l = &f->layout;
    uint8_t *head = net_reach_head(&n->out.reach, &f->reach), *ip = head + l->l3;
    uint32_t first = l->is_ip6 ? 8 : 12, last = l->is_ip6 ? 40 : 20, sum = PROTO_TCP;

    for (uint32_t i = first; i < last; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    head[l->checksum] = (uint8_t)(sum >> 8);
    head[l->checksum + 1] = (uint8_t)sum;
    if (l->is_ip6) {
        memset(ip + 4, 0, 2);
    } else {
        memset(ip + 2, 0, 2);
        memset(ip + 10, 0, 2);
    }
}

static struct e1000e_tx context_of(const struct nic_frame *f)
{
    const struct nic_layout *l = &f->layout;
    uint64_t ip = l->l3 | (l->l3 + 10u) << 8 | (l->l4 - 1u) << 16;
    uint64_t l4 = l->l4 | (uint32_t)l->checksum << 8;
    struct e1000e_tx c = {.low = (l->is_ip6 ? l->l3 : ip) | l4 << 32,
                          .command = TX_EXT | (l->is_tcp ? CONTEXT_TCP : 0) |
                                     (l->is_ip6 ? 0 : CONTEXT_IP4)};

    if (f->gso_size > 0) {
        c.command |= TX_TSO | (f->len - l->payload);
        c.high = (uint32_t)l->payload << HIGH_HEADER_LEN | (uint32_t)f->gso_size
                                                               << HIGH_SEGMENT_LEN;
    }
    return c;
}

/* The device counts a segmented frame's length down in its context: that one serves once. */
static void context_put(struct e1000e *e, const struct nic_frame *f)
{
    struct e1000e_tx c = context_of(f);

    if (f->gso_size == 0 && memcmp(&c, &e->context, sizeof(c)) == 0)
        return;
    descriptor_put(e, c.low, c.command, c.high);
    e->context = f->gso_size > 0 ? (struct e1000e_tx){0} : c;
}

bool e1000e_put(struct nic *n, struct nic_frame *f)
{
    struct e1000e *e = of(n);
    uint32_t room = (e->tx_head - e->tx_tail - 1) % E1000E_DEPTH, high = 0;
    uint32_t command = TX_EXT | TX_DATA | TX_FCS;

    if (room < f->reach.span_count + (f->blank ? 1u : 0))
        return false;
    if (f->gso_size > 0) {
        segments_prepare(n, f);
        command |= TX_TSO;
        high = TX_INSERT_L4 | (f->layout.is_ip6 ? 0 : TX_INSERT_IP);
    } else if (f->blank) {
        high = TX_INSERT_L4;
    }
    if (f->blank)
        context_put(e, f);
    for (uint32_t i = 0; i < f->reach.span_count; i++) {
        const struct net_span *s = &f->reach.spans[i];
        bool last = i + 1u == f->reach.span_count;

        if (last)
            e->frames[e->tx_tail] = f;

        descriptor_put(e, s->dma, command | s->len | (last ? TX_END : 0), high);
    }
    return true;
}

void e1000e_kick(struct nic *n)
{
    struct e1000e *e = of(n);
    uint32_t last = (e->tx_tail + E1000E_DEPTH - 1) % E1000E_DEPTH;

    if (e->tx_tail == e->tx_told)
        return;
    e->tx[last].command |= TX_REPORT;
    e->tx_reports[last] = true;
    e->tx_told = e->tx_tail;
    shm_barrier_write();
    e1000e_write(e, E1000E_TDT, e->tx_tail);
}

bool e1000e_reap(struct nic *n)
{
    struct e1000e *e = of(n);
    bool any = false;

    for (;;) {
        uint32_t at = e->tx_head;

        while (at != e->tx_told && !e->tx_reports[at])
            at = after(at);
        if (at == e->tx_told || !(shm_read32(&e->tx[at].high) & TX_DONE))
            return any;
        for (uint32_t end = after(at); e->tx_head != end; e->tx_head = after(e->tx_head)) {
            struct nic_frame *f = e->frames[e->tx_head];

            e->frames[e->tx_head] = NULL;
            if (f)
                nic_out_done(n, f, true);
        }
        any = true;
    }
}
