/*
 * The model's disk with a volatile write cache, commands that take their time and
 * end in any order, and what may become of them when the driver dies.
 */
#ifndef MODEL_CACHE_H
#define MODEL_CACHE_H

#include <fake_hv.h>

#include "model_nvme.h"

#define CACHE_SECTORS  (MODEL_BYTES / 512)
#define CACHE_LATE_MAX 16u

/* A write or discard whose data the device has, but not its medium. */
struct cache_late {
    uint64_t first; /* byte of the disk */
    uint32_t len;
    bool is_data;
    uint8_t data[NVME_PAGES_MAX * PAGE_SIZE];
};

static struct {
    domid_t domid;      /* whose device it is */
    evtchn_port_t port; /* of its interrupt */
    uint64_t seed;
    bool enabled;
    unsigned inside;
    struct nvme_command commands[NVME_DEPTH];
    unsigned late_count;
    struct cache_late late[CACHE_LATE_MAX];
    uint8_t medium[MODEL_BYTES]; /* what is left without power; model.bytes is what is read */
    bool dirty[CACHE_SECTORS];
} cache;

static unsigned cache_draw(unsigned below)
{
    cache.seed = cache.seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(cache.seed >> 33) % below;
}

static bool cache_reaches(uint64_t dma, bool write)
{
    return (played.config[4] & PCI_COMMAND_MASTER) && fake_device_reaches(cache.domid, dma, write);
}

static void cache_soil(uint64_t first, uint64_t len)
{
    memset(cache.dirty + first / 512, true, len / 512);
}

static void cache_flush(void)
{
    for (size_t i = 0; i < CACHE_SECTORS; i++)
        if (cache.dirty[i])
            memcpy(cache.medium + i * 512, model.bytes + i * 512, 512);
    memset(cache.dirty, 0, sizeof(cache.dirty));
}

/* What a write or a discard is about, in bytes; false: it is neither. */
static bool cache_extent(const struct nvme_command *c, uint64_t *first, uint32_t *len)
{
    const uint32_t *range = model_memory(c->prp1);

    if (c->opcode == 1) {
        *first = (c->word[0] | (uint64_t)c->word[1] << 32) << model.shift;
        *len = ((c->word[2] & 0xffff) + 1) << model.shift;
    } else if (c->opcode == 9) {
        *first = (uint64_t)range[2] << model.shift;
        *len = range[1] << model.shift;
    }
    return c->opcode == 1 || c->opcode == 9;
}

static void cache_do(const struct nvme_command *c)
{
    uint64_t first;
    uint32_t len;

    if (cache_extent(c, &first, &len))
        cache_soil(first, len);
    else if (c->opcode == 0)
        cache_flush();
    model_answer(1, c->id, model_io(c));
    fake_raise(cache.domid, cache.port);
}

static void cache_take(const struct nvme_command *c)
{
    if (cache.inside == NVME_DEPTH)
        abort();
    cache.commands[cache.inside++] = *c;
}

static void cache_late_do(void)
{
    struct cache_late *l = &cache.late[--cache.late_count];

    if (l->is_data)
        memcpy(model.bytes + l->first, l->data, l->len);
    else
        memset(model.bytes + l->first, 0, l->len);
    cache_soil(l->first, l->len);
}

/* Ends one command, any; whether there was one. */
static bool cache_step(void)
{
    struct nvme_command c;

    if (cache.late_count > 0 && cache_draw(64) == 0)
        cache_late_do();
    if (cache.inside == 0)
        return false;

    unsigned i = cache_draw(cache.inside);

    c = cache.commands[i];
    cache.commands[i] = cache.commands[--cache.inside];
    cache_do(&c);
    return true;
}

/* Half of it, or all, is still to come to the medium: the device fetched it before the fence. */
static void cache_keep(const struct nvme_command *c)
{
    struct cache_late *l = &cache.late[cache.late_count];
    bool half = cache_draw(3) == 0;

    if (cache.late_count == CACHE_LATE_MAX || !cache_extent(c, &l->first, &l->len))
        return;
    l->is_data = c->opcode == 1;
    if (l->is_data && !model_io_memory(c, l->len, l->data, false))
        return;
    if (half)
        l->len = (l->len >> model.shift) / 2 << model.shift;
    cache.late_count++;
    if (cache_draw(2) == 0)
        cache_late_do();
}

/*
 * The driver is dead, and everything is still mapped: each command is lost, or
 * done, or will be until the controller is reset. Then the core fences it.
 */
static void cache_death(void)
{
    for (; cache.inside > 0; cache.inside--) {
        const struct nvme_command *c = &cache.commands[cache.inside - 1];

        switch (cache_draw(4)) {
        case 0: break;
        case 1: cache_do(c); break;
        default: cache_keep(c); break;
        }
    }
    /* The core hands its function out anew: fenced, its BARs in their places, no MSI-X. */
    played_put(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    played_put(PCI_BAR, (uint32_t)LAYOUT_BAR_BASE | 4, 4);
    played_put(PCI_BAR + 4, 0, 4);
    played_put(0x42, 3, 2);
}

/* A running controller does not look at its set-up again; one that stops forgets its commands. */
static void cache_write(uint32_t offset, uint32_t value)
{
    bool enable = value & 1;

    if (offset == 0x14 && !enable) {
        while (cache.late_count > 0)
            cache_late_do();
        cache.inside = 0;
    }
    if (offset != 0x14 || !enable || !cache.enabled)
        model_write(offset, value);
    if (offset == 0x14)
        cache.enabled = enable;
}

static inline void cache_init(domid_t domid, uint64_t seed)
{
    model_init(9);
    memset(&cache, 0, offsetof(__typeof__(cache), late));
    memset(cache.dirty, 0, sizeof(cache.dirty));
    cache.domid = domid;
    cache.seed = seed;
    cache.enabled = true;
    memcpy(cache.medium, model.bytes, MODEL_BYTES);
    model.take = cache_take;
    model.reaches = cache_reaches;
    played.write = cache_write;
}

#endif
