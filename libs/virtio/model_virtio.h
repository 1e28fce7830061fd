/* A modern virtio device for tests: its transport in BAR 0, one queue, features by halves. */
#ifndef MODEL_VIRTIO_H
#define MODEL_VIRTIO_H

#include <played.h>

#include "virtio.h"

static struct {
    uint64_t features, accepted;
    bool stuck; /* its status never becomes 0 */
    unsigned bells;
} model;

static uint32_t model_word(uint32_t offset)
{
    uint32_t v;

    memcpy(&v, played.bar + offset, 4);
    return v;
}

static uint32_t model_read(uint32_t offset)
{
    if (offset == 4)
        return (uint32_t)(model.features >> 32 * (model_word(0) & 1));
    if (offset == 20 && model.stuck)
        return model_word(20) | 4;
    return model_word(offset);
}

static void model_write(uint32_t offset, uint32_t value)
{
    if (offset == 12) {
        uint32_t half = model_word(8) & 1;

        model.accepted &= ~(0xffffffffull << 32 * half);
        model.accepted |= (uint64_t)value << 32 * half;
    }
    if (offset == 0x1000)
        model.bells++;
}

static inline void model_capability(uint8_t at, uint8_t next, uint8_t kind, uint32_t offset,
                                    uint32_t len)
{
    played_put(at, 0x09u | (uint32_t)next << 8 | 20u << 16 | (uint32_t)kind << 24, 4);
    played_put(at + 4u, 0, 4);
    played_put(at + 8u, offset, 4);
    played_put(at + 12u, len, 4);
    played_put(at + 16u, 4, 4); /* the step of a doorbell */
}

static inline void model_init(void)
{
    memset(&model, 0, sizeof(model));
    model.features = VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | 1ull << 9 | 1ull << 40;
    played_init(VIRTIO_VENDOR, VIRTIO_DEVICE_MODERN + 2, 0x010000);
    played.read = model_read;
    played.write = model_write;
    memset(played.bar, 0, sizeof(played.bar));
    played_put(0x41, 0x60, 1);
    model_capability(0x60, 0x80, 1, 0, 56);
    model_capability(0x80, 0xa0, 2, 0x1000, 16);
    model_capability(0xa0, 0, 4, 0x2000, 60);
    played.bar[18] = 1; /* queues */
    played.bar[25] = 1; /* of 256 */
    played.config[4] = PCI_COMMAND_MASTER;
}

#endif
