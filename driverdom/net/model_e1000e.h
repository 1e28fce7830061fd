/* A small 82574L for host tests: its registers, both rings, a wire that the test holds. */
#ifndef MODEL_E1000E_H
#define MODEL_E1000E_H

#include <fake_hv.h>
#include <played.h>

#include "e1000e.h"

#define MODEL_FRAME 70000u
#define MODEL_SENT  64u

/* A frame as it went to the wire, with what the device was to do with it. */
struct model_frame {
    uint32_t len;
    bool insert_ip, insert_l4, cut;
    struct e1000e_tx context;
    uint8_t bytes[MODEL_FRAME];
};

static struct {
    bool mute;  /* takes descriptors, is never done */
    bool stuck; /* does not come out of a reset */
    bool gone;  /* all registers read ones */
    bool link;
    bool master_early; /* it could reach memory before it was reset */
    uint32_t resets, tail_writes, rx_tail_writes, causes_enabled, mask_writes;
    uint32_t tx_head, rx_head;
    struct e1000e_tx context;
    uint32_t filling; /* bytes of the frame that is being put together */
    uint32_t sent_count;
    struct model_frame sent[MODEL_SENT];
} model;

/* A device address is a pointer here. */
static void *model_memory(uint64_t dma)
{
    return (void *)(uintptr_t)dma; /* NOLINT(performance-no-int-to-ptr) */
}

static uint32_t model_word(uint32_t offset)
{
    uint32_t v;

    memcpy(&v, played.bar + offset, 4);
    return v;
}

static inline void model_put(uint32_t offset, uint32_t v)
{
    memcpy(played.bar + offset, &v, 4);
}

static uint64_t model_ring(uint32_t offset)
{
    return model_word(offset) | (uint64_t)model_word(offset + 4) << 32;
}

static void model_send(struct e1000e_tx *d)
{
    struct model_frame *f = &model.sent[model.sent_count % MODEL_SENT];
    uint32_t len = d->command & 0xfffff;

    if (model.filling + len > MODEL_FRAME)
        abort();
    memcpy(f->bytes + model.filling, model_memory(d->low), len);
    model.filling += len;
    if (!(d->command & 1u << 24))
        return;
    f->len = model.filling;
    f->insert_ip = d->high & 1u << 8;
    f->insert_l4 = d->high & 2u << 8;
    f->cut = d->command & 1u << 26;
    f->context = model.context;
    model.filling = 0;
    model.sent_count++;
}

/* What is enabled, and in the ring, is sent at once. */
static inline void model_transmit(void)
{
    uint32_t tail = model_word(E1000E_TDT), count = model_word(0x3808) / 16;
    struct e1000e_tx *ring = model_memory(model_ring(0x3800));

    if (model.mute || !(model_word(0x400) & 2))
        return;
    for (; model.tx_head != tail; model.tx_head = (model.tx_head + 1) % count) {
        struct e1000e_tx *d = &ring[model.tx_head];

        if (!(d->command & 1u << 29))
            abort();
        if (d->command & 1u << 20)
            model_send(d);
        else
            model.context = *d;
        if (d->command & 1u << 27)
            d->high |= 1;
    }
}

/* A frame from the wire, in as many buffers as it needs; false: there is no room. */
static inline bool model_receive(const uint8_t *bytes, uint32_t len, uint32_t status)
{
    uint32_t tail = model_word(E1000E_RDT), count = model_word(0x2808) / 16;
    struct e1000e_rx *ring = model_memory(model_ring(0x2800));
    uint32_t need = (len + E1000E_BUFFER - 1) / E1000E_BUFFER;

    if (!(model_word(0x100) & 2) || (tail - model.rx_head + count) % count < need)
        return false;
    for (uint32_t at = 0; at < len; at += E1000E_BUFFER) {
        struct e1000e_rx *d = &ring[model.rx_head];
        uint32_t part = len - at < E1000E_BUFFER ? len - at : E1000E_BUFFER;

        memcpy(model_memory(d->address), bytes + at, part);
        d->len = (uint16_t)part;
        d->status = status | E1000E_RX_DONE | (at + part == len ? E1000E_RX_END : 0);
        model.rx_head = (model.rx_head + 1) % count;
    }
    return true;
}

static uint32_t model_read(uint32_t offset)
{
    if (model.gone)
        return UINT32_MAX;
    if (offset == 0x8)
        return (model.link ? 2 : 0) | 2u << 6;
    if (offset == 0 && model.stuck) {
        fake_clock_advance(1000000);
        return model_word(0) | 1u << 26;
    }
    return model_word(offset);
}

static void model_reset(void)
{
    model.resets++;
    fake_clock_advance(2000000);
    if (played.config[4] & PCI_COMMAND_MASTER)
        model.master_early = true;
    model_put(0, 0);
    model_put(0x5400, 0x12005452);
    model_put(0x5404, 0x80005634);
    model.tx_head = model.rx_head = model.filling = 0;
}

static void model_write(uint32_t offset, uint32_t value)
{
    switch (offset) {
    case 0x0:
        if (value & 1u << 26)
            model_reset();
        break;
    case E1000E_IMS: model.causes_enabled |= value; break;
    case 0xd8:
        model.causes_enabled &= ~value;
        model.mask_writes++;
        break;
    case E1000E_TDT:
        model.tail_writes++;
        model_transmit();
        break;
    case E1000E_RDT: model.rx_tail_writes++; break;
    default: break;
    }
}

static inline void model_init(void)
{
    memset(&model, 0, sizeof(model));
    model.link = true;
    played_init(0x8086, 0x10d3, 0x020000);
    played.read = model_read;
    played.write = model_write;
    played.config[4] = PCI_COMMAND_MASTER; /* the firmware left it so */
}

#endif
