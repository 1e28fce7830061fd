/* A small virtio network device for host tests: three queues, a wire that the test holds. */
#ifndef MODEL_VIRTIO_NET_H
#define MODEL_VIRTIO_NET_H

#include <fake_hv.h>
#include <played.h>

#include "virtio_net.h"

#define MODEL_FRAME  70000u
#define MODEL_SENT   64u
#define MODEL_QUEUES 3u

struct model_queue {
    uint16_t size, vector, seen, used;
    bool enabled;
    uint64_t descriptors, avail, used_ring;
};

struct model_frame {
    struct virtio_net_header header;
    uint32_t len;
    uint8_t bytes[MODEL_FRAME];
};

static struct {
    uint64_t features, accepted;
    bool mute;    /* finishes nothing */
    bool refuses; /* the control command */
    bool early;   /* memory could be reached before it was reset */
    uint32_t bells, resets, commands;
    struct model_queue queues[MODEL_QUEUES];
    uint32_t sent_count;
    struct model_frame sent[MODEL_SENT];
} model;

static void *model_memory(uint64_t dma)
{
    return (void *)(uintptr_t)dma; /* NOLINT(performance-no-int-to-ptr) */
}

static uint64_t model_bytes(uint32_t offset, uint32_t len)
{
    uint64_t v = 0;

    memcpy(&v, played.bar + offset, len);
    return v;
}

static inline void model_put(uint32_t offset, uint64_t v, uint32_t len)
{
    memcpy(played.bar + offset, &v, len);
}

/* The next request's head of a queue; -1: there is none. */
static int model_next(struct model_queue *q)
{
    const uint16_t *avail = model_memory(q->avail);

    if (!q->enabled || q->seen == avail[1])
        return -1;
    return avail[2 + q->seen++ % q->size];
}

static void model_finish(struct model_queue *q, uint32_t head, uint32_t len)
{
    uint8_t *ring = model_memory(q->used_ring);
    uint32_t entry[2] = {head, len};

    memcpy(ring + 4 + 8ul * (q->used++ % q->size), entry, sizeof(entry));
    memcpy(ring + 2, &q->used, 2);
}

/* Whoever puts more wants to know: tell me. */
static void model_ask(const struct model_queue *q)
{
    memcpy((uint8_t *)model_memory(q->used_ring) + 4 + 8ul * q->size, &q->seen, 2);
}

static const struct virtq_descriptor *model_descriptor(const struct model_queue *q, uint32_t at)
{
    if (at >= q->size)
        abort();
    return (const struct virtq_descriptor *)model_memory(q->descriptors) + at;
}

static inline void model_transmit(void)
{
    struct model_queue *q = &model.queues[1];
    int head;

    while (!model.mute && (head = model_next(q)) >= 0) {
        struct model_frame *f = &model.sent[model.sent_count++ % MODEL_SENT];
        const struct virtq_descriptor *d = model_descriptor(q, (uint32_t)head);

        if (d->len != sizeof(f->header) || (d->flags & VIRTQ_WRITE))
            abort();
        memcpy(&f->header, model_memory(d->address), sizeof(f->header));
        f->len = 0;
        while (d->flags & VIRTQ_NEXT) {
            d = model_descriptor(q, d->next);
            if (f->len + d->len > MODEL_FRAME)
                abort();
            memcpy(f->bytes + f->len, model_memory(d->address), d->len);
            f->len += d->len;
        }
        model_finish(q, (uint32_t)head, 0);
    }
    model_ask(q);
}

/* A frame from the wire behind its header, in as many buffers as it needs. False: no room. */
static inline bool model_receive(const uint8_t *bytes, uint32_t len, struct virtio_net_header h)
{
    struct model_queue *q = &model.queues[0];
    const uint16_t *avail = model_memory(q->avail);
    uint32_t all = len + (uint32_t)sizeof(h),
             need = (all + VIRTIO_NET_BUFFER - 1) / VIRTIO_NET_BUFFER;

    if ((uint16_t)(avail[1] - q->seen) < need)
        return false;
    h.buffers = (uint16_t)need;
    for (uint32_t at = 0, i = 0; i < need; i++) {
        uint32_t head = (uint32_t)model_next(q), skip = i == 0 ? sizeof(h) : 0;
        const struct virtq_descriptor *d = model_descriptor(q, head);
        uint32_t part = len - at < d->len - skip ? len - at : d->len - skip;

        if (!(d->flags & VIRTQ_WRITE))
            abort();
        if (i == 0)
            memcpy(model_memory(d->address), &h, sizeof(h));
        memcpy((uint8_t *)model_memory(d->address) + skip, bytes + at, part);
        at += part;
        model_finish(q, head, skip + part);
    }
    return true;
}

static void model_control(void)
{
    struct model_queue *q = &model.queues[2];
    int head;

    while ((head = model_next(q)) >= 0) {
        const struct virtq_descriptor *d = model_descriptor(q, (uint32_t)head);
        const uint8_t *command = model_memory(d->address);

        if (d->len != 3 || command[0] != 0 || command[1] != 0 || command[2] != 1)
            abort();
        model.commands++;
        *(uint8_t *)model_memory(model_descriptor(q, d->next)->address) = model.refuses;
        model_finish(q, (uint32_t)head, 1);
    }
}

static uint32_t model_read(uint32_t offset)
{
    if (offset == 4)
        return (uint32_t)(model.features >> 32 * (model_bytes(0, 4) & 1));
    return (uint32_t)model_bytes(offset, 4);
}

static void model_enable(void)
{
    uint16_t number = (uint16_t)model_bytes(22, 2);

    if (number >= MODEL_QUEUES)
        abort();
    model.queues[number] = (struct model_queue){
        .size = (uint16_t)model_bytes(24, 2),
        .vector = (uint16_t)model_bytes(26, 2),
        .enabled = true,
        .descriptors = model_bytes(32, 8),
        .avail = model_bytes(40, 8),
        .used_ring = model_bytes(48, 8),
    };
}

static void model_write(uint32_t offset, uint32_t value)
{
    uint32_t half = (uint32_t)model_bytes(8, 4) & 1;

    switch (offset) {
    case 12:
        model.accepted &= ~(0xffffffffull << 32 * half);
        model.accepted |= (uint64_t)value << 32 * half;
        break;
    case 20:
        if (value != 0)
            break;
        model.resets++;
        model.early = model.early || (played.config[4] & PCI_COMMAND_MASTER);
        memset(model.queues, 0, sizeof(model.queues));
        break;
    case 28: model_enable(); break;
    case 0x1000:
        model.bells++;
        if (value == 1)
            model_transmit();
        if (value == 2)
            model_control();
        break;
    default: break;
    }
}

static inline void model_capability(uint8_t at, uint8_t next, uint8_t kind, uint32_t offset,
                                    uint32_t len)
{
    played_put(at, 0x09u | (uint32_t)next << 8 | 20u << 16 | (uint32_t)kind << 24, 4);
    played_put(at + 4u, 0, 4);
    played_put(at + 8u, offset, 4);
    played_put(at + 12u, len, 4);
}

static inline void model_init(uint64_t features)
{
    memset(&model, 0, sizeof(model));
    model.features = features | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM;
    played_init(VIRTIO_VENDOR, VIRTIO_DEVICE_MODERN + 1, 0x020000);
    played.read = model_read;
    played.write = model_write;
    played_put(0x41, 0x60, 1);
    model_capability(0x60, 0x80, 1, 0, 56);
    model_capability(0x80, 0xa0, 2, 0x1000, 16);
    model_capability(0xa0, 0, 4, 0x2000, 12);
    model_put(18, 3, 2);   /* queues */
    model_put(24, 256, 2); /* entries of each */
    memcpy(played.bar + 0x2000, "\x52\x54\x00\x12\x34\x57\x01\x00\x01\x00\x28\x23", 12);
    played.config[4] = PCI_COMMAND_MASTER;
}

#endif
