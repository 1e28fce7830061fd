/*
 * Moves of a card's fuzz target: frames are sent (s N), flushed (f), received as
 * a good device does (r N), taken and kept (t) or let go (p), the round ends (e);
 * what the device can write it writes (w A B). In the end nothing may be missing.
 */
#ifndef FUZZ_CARD_H
#define FUZZ_CARD_H

#include <rt/clock.h>

#include "card_rig.h"

#define FUZZ_KEPT 64u

static struct {
    struct net_packet sent[64];
    struct net_packet *kept[FUZZ_KEPT];
    uint32_t kept_count;
} fuzz;

/* The target's: what the device may write, by a number; a frame from the wire; its turn to send. */
static void fuzz_write(uint32_t at, uint8_t value);
static void fuzz_receive(uint32_t len, uint8_t how);
static void fuzz_transmit(void);

static inline void fuzz_let_go(void)
{
    while (fuzz.kept_count > 0)
        net_packet_put(fuzz.kept[--fuzz.kept_count]);
}

static inline void fuzz_take(void)
{
    struct net_packet *p = rig.nic->driver->take(rig.nic);
    uint32_t len = 0;

    if (!p)
        return;
    len = p->head_len;
    for (uint32_t i = 0; i < p->piece_count; i++) {
        if (p->pieces[i].offset + p->pieces[i].len > PAGE_SIZE)
            abort();
        len += p->pieces[i].len;
    }
    if (len != p->len || p->len > NET_FRAME_MAX ||
        p->head_len != (p->len < NET_HEAD_MAX ? p->len : NET_HEAD_MAX))
        abort();
    if (fuzz.kept_count == FUZZ_KEPT)
        fuzz_let_go();
    fuzz.kept[fuzz.kept_count++] = p;
}

static inline void fuzz_send(uint32_t number, uint32_t len, bool cut)
{
    struct net_packet *p = &fuzz.sent[number % 64];

    if (p->refs != 0)
        return;
    rig_make(len, number & 1, false);
    *p = *rig_packet(len);
    /* Its head is one of many: the packet must not change while it is held. */
    if (cut) {
        p->checksum = NET_CHECKSUM_BLANK;
        p->gso = number & 1 ? NET_GSO_TCP6 : NET_GSO_TCP4;
        p->gso_size = 1400;
    }
    (void)rig_send(p, number & 2 ? 5 : 0);
}

static inline void fuzz_moves(const uint8_t *data, size_t size)
{
    memset(&fuzz, 0, sizeof(fuzz));
    for (size_t i = 0; i + 2 < size; i += 3) {
        uint32_t n = data[i + 1];

        switch (data[i]) {
        case 's': fuzz_send(n, 60 + data[i + 2] * 60u, n & 4); break;
        case 'f': rig_flush(); break;
        case 'r': fuzz_receive(1 + n * 40, data[i + 2]); break;
        case 't': fuzz_take(); break;
        case 'p': fuzz_let_go(); break;
        case 'e':
            fuzz_transmit();
            nic_settle(rig.nic);
            break;
        case 'c':
            fake_clock_advance(n * NIC_LOOK_NS);
            (void)nic_tick(rig.nic, clock_now());
            break;
        default: fuzz_write((data[i] & 15u) << 8 | n, data[i + 2]); break;
        }
    }
    fuzz_let_go();
    rig_flush();
    (void)rig.nic->driver->stop(rig.nic);
    nic_forget(rig.nic);
    if (rig.held != 0 || fake_mappings(RIG_BACK) != 0 || rig.nic->out.out_count != 0 ||
        rig.nic->in.free_count != NIC_BUFFERS)
        abort();
}

#endif
