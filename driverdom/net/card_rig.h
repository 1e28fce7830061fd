/*
 * Tests and fuzz targets of cards: frames to send, out of memory of the domain's
 * own or granted by a guest, and what comes in by a card.
 */
#ifndef CARD_RIG_H
#define CARD_RIG_H

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <fake_hv.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "nic.h"

#define RIG_BACK  1
#define RIG_GUEST 2
#define RIG_PAGES 20u /* granted: references 100 ... */
#define RIG_FRAME 70000u

static struct {
    struct nic *nic;
    struct net_batch batch;
    struct net_port source; /* of the frames that go out */
    struct net_packet packet;
    uint8_t head[NET_HEAD_ROOM + NET_HEAD_MAX];
    uint8_t *pages;
    uint32_t held; /* packets that somebody holds */
    uint8_t frame[RIG_FRAME];
} rig;

int irq_alloc(uint64_t *address, uint32_t *data)
{
    static int last;

    *address = 0xfee00000;
    *data = 0x40;
    return ++last;
}

static void rig_done(struct net_port *port, struct net_packet *packet)
{
    (void)port;
    (void)packet;
    rig.held--;
}

static const struct net_port_driver rig_driver = {.done = rig_done};

static inline void rig_init(void)
{
    fake_reset();
    memset(&rig, 0, sizeof(rig));
    rig.source.driver = &rig_driver;
    (void)fake_enter(RIG_GUEST);
    rig.pages = memory_pages_alloc(RIG_PAGES);
    for (uint32_t i = 0; i < RIG_PAGES; i++)
        fake_grant(RIG_GUEST, 100 + i, RIG_BACK, rig.pages + (size_t)i * PAGE_SIZE, true);
    (void)fake_enter(RIG_BACK);
}

/* As bridges_open and bridges_start do. rig.nic is NULL if it cannot be used. */
static inline int rig_open(const struct nic_hardware *hardware, const struct pci_function *f)
{
    int rc = hardware->open(f, "nic0", &rig.batch, &rig.nic);

    if (rc == 0)
        rc = rig.nic->driver->ready(rig.nic);
    if (rc < 0)
        rig.nic = NULL;
    return rc;
}

static inline uint8_t rig_byte(uint32_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static inline void rig_put16(uint32_t at, uint32_t value)
{
    rig.frame[at] = (uint8_t)(value >> 8);
    rig.frame[at + 1] = (uint8_t)value;
}

/* A TCP (or UDP) frame of so many bytes in rig.frame. */
static inline void rig_make(uint32_t len, bool ip6, bool udp)
{
    uint32_t l3 = 14, l4 = ip6 ? 54 : 34;

    for (uint32_t i = 0; i < len; i++)
        rig.frame[i] = rig_byte(i);
    memcpy(rig.frame, "\x52\x54\x00\x00\x00\x01\x52\x54\x00\x00\x00\x02", 12);
    rig_put16(12, ip6 ? 0x86dd : 0x0800);
    if (ip6) {
        memcpy(rig.frame + l3, "\x60\x00\x00\x00", 4);
        rig_put16(l3 + 4, len - l4);
        rig.frame[l3 + 6] = udp ? 17 : 6;
        rig.frame[l3 + 7] = 64;
    } else {
        memcpy(rig.frame + l3, "\x45\x00\x00\x00\x00\x00\x40\x00\x40", 9);
        rig_put16(l3 + 2, len - l3);
        rig.frame[l3 + 9] = udp ? 17 : 6;
    }
    if (udp)
        rig_put16(l4 + 4, len - l4);
    else
        rig.frame[l4 + 12] = 0x50;
}

/* The frame in rig.frame as a packet: its head private, the rest granted. */
static inline struct net_packet *rig_packet(uint32_t len)
{
    uint32_t at = len < NET_HEAD_MAX ? len : NET_HEAD_MAX;
    struct net_packet *p = &rig.packet;

    *p = (struct net_packet){.from = &rig.source,
                             .owner = RIG_GUEST,
                             .refs = 1,
                             .len = len,
                             .head_len = (uint16_t)at,
                             .head = rig.head + NET_HEAD_ROOM};
    memcpy(p->head, rig.frame, at);
    for (uint32_t i = 0; at < len; i++) {
        uint32_t part = len - at < PAGE_SIZE ? len - at : PAGE_SIZE;

        memcpy(rig.pages + (size_t)i * PAGE_SIZE, rig.frame + at, part);
        p->pieces[p->piece_count++] = (struct net_piece){.len = (uint16_t)part, .ref = 100 + i};
        at += part;
    }
    return p;
}

/* Sends a packet as a switch would, without the flush. */
static inline enum net_drop rig_send(struct net_packet *p, uint16_t tci)
{
    struct net_port *port = &rig.nic->port;
    enum net_drop why =
        port->driver->send(port, p, (struct net_tag){.present = tci != 0, .tci = tci});

    if (why == NET_DROP_NONE) {
        port->counters.out_packets++;
        port->counters.out_bytes += p->len;
    }
    rig.held++;
    net_packet_put(p);
    return why;
}

static inline void rig_flush(void)
{
    rig.nic->port.driver->flush(&rig.nic->port);
}

/* The bytes of a packet that came in are those of rig.frame. */
static inline bool rig_is_frame(const struct net_packet *p, uint32_t len)
{
    uint32_t at = p->head_len;

    if (p->len != len || memcmp(p->head, rig.frame, at) != 0)
        return false;
    for (uint32_t i = 0; i < p->piece_count; i++) {
        const struct net_piece *piece = &p->pieces[i];

        if (!piece->is_local || piece->offset + piece->len > PAGE_SIZE ||
            memcmp(piece->page + piece->offset, rig.frame + at, piece->len) != 0 ||
            piece->dma != (uintptr_t)piece->page)
            return false;
        at += piece->len;
    }
    return at == len;
}

#endif
