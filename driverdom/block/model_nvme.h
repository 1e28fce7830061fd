/* A small NVMe controller for host tests: registers, queues and a disk of memory, no hurry. */
#ifndef MODEL_NVME_H
#define MODEL_NVME_H

#include <played.h>

#include "nvme.h"

#define MODEL_BYTES (1u << 20)

static struct {
    uint32_t shift; /* of its blocks */
    uint32_t mdts;
    bool no_ready;     /* CSTS.RDY never changes */
    bool mute;         /* takes commands, never answers */
    bool silent;       /* a queue was made before MSI-X was on: it never interrupts */
    bool master_early; /* bus mastering was on while it could still act on old state */
    unsigned fail;     /* so many I/O commands fail */
    unsigned commands, flushes, discards, hold;
    uint32_t largest; /* bytes of one command */
    /* Takes an I/O command to do and answer it (model_answer) another time. NULL: it is done. */
    void (*take)(const struct nvme_command *c);
    /* Whether the device may reach memory at this address; NULL: all. */
    bool (*reaches)(uint64_t dma, bool write);
    unsigned blocked; /* accesses to what it does not reach: they fail */
    uint64_t asq, acq, sq, cq;
    uint32_t aqa, sq_depth, cq_depth, sq_head[2], cq_tail[2];
    uint16_t phase[2];
    uint8_t bytes[MODEL_BYTES];
} model;

/* A device address is a pointer here. */
static void *model_memory(uint64_t dma)
{
    return (void *)(uintptr_t)dma; /* NOLINT(performance-no-int-to-ptr) */
}

static bool model_reaches(uint64_t dma, bool write)
{
    bool reaches = !model.reaches || model.reaches(dma, write);

    model.blocked += !reaches;
    return reaches;
}

/* False: memory on the way is not reached. */
static bool model_io_memory(const struct nvme_command *c, uint32_t len, uint8_t *disk, bool read)
{
    uint64_t at = c->prp1;
    const uint64_t *list = NULL;

    for (uint32_t done = 0, i = 0; done < len; i++) {
        uint32_t piece = PAGE_SIZE - (uint32_t)(at & PAGE_MASK);

        if (i > 0 && (at & PAGE_MASK) != 0)
            abort();
        if (piece > len - done)
            piece = len - done;
        if (!model_reaches(at, read))
            return false;
        if (read)
            memcpy(model_memory(at), disk + done, piece);
        else
            memcpy(disk + done, model_memory(at), piece);
        done += piece;
        if (done == len)
            break;
        if (i == 0 && len - done > PAGE_SIZE) {
            if (!model_reaches(c->prp2, false))
                return false;
            list = model_memory(c->prp2);
        }
        at = list ? list[i] : c->prp2;
    }
    return true;
}

static uint16_t model_io(const struct nvme_command *c)
{
    uint64_t first = (c->word[0] | (uint64_t)c->word[1] << 32) << model.shift;
    uint32_t len = ((c->word[2] & 0xffff) + 1) << model.shift;

    model.commands++;
    if (model.fail > 0) {
        model.fail--;
        return 0x281; /* unrecovered read error */
    }
    if (c->opcode == 0) {
        model.flushes++;
        return 0;
    }
    if (c->opcode == 9) {
        const uint32_t *range = model_memory(c->prp1);

        if (c->word[0] != 0 || c->word[1] != 4)
            return 2;
        if (!model_reaches(c->prp1, false))
            return 4;
        memset(model.bytes + ((size_t)range[2] << model.shift), 0, (size_t)range[1] << model.shift);
        model.discards++;
        return 0;
    }
    if (first + len > MODEL_BYTES || len > PAGE_SIZE << model.mdts)
        return 0x80;
    if (len > model.largest)
        model.largest = len;
    return model_io_memory(c, len, model.bytes + first, c->opcode == 2) ? 0 : 4;
}

static uint16_t model_admin(const struct nvme_command *c)
{
    uint8_t *page = model_memory(c->prp1);

    switch (c->opcode) {
    case 6:
        memset(page, 0, PAGE_SIZE);
        if (c->word[0] == 1) {
            page[77] = (uint8_t)model.mdts;
            page[525] = 1;
            page[520] = 4;
        } else if (c->nsid == 1) {
            uint64_t blocks = MODEL_BYTES >> model.shift;

            memcpy(page, &blocks, 8);
            page[26] = 1;
            page[128 + 4 + 2] = (uint8_t)model.shift;
        }
        return 0;
    case 5:
        model.silent = model.silent || !(played.config[0x43] & 0x80);
        model.cq = c->prp1;
        model.cq_depth = (c->word[0] >> 16) + 1;
        return 0;
    case 1:
        model.sq = c->prp1;
        model.sq_depth = (c->word[0] >> 16) + 1;
        return 0;
    default: return 0;
    }
}

static void model_answer(uint32_t queue, uint16_t id, uint16_t status)
{
    uint64_t base = queue ? model.cq : model.acq;
    struct nvme_completion *to =
        (struct nvme_completion *)model_memory(base) + model.cq_tail[queue];

    if (!model_reaches(base, true))
        return;
    *to =
        (struct nvme_completion){.id = id, .status = (uint16_t)(status << 1 | model.phase[queue])};
    if (++model.cq_tail[queue] == (queue ? model.cq_depth : (model.aqa >> 16) + 1)) {
        model.cq_tail[queue] = 0;
        model.phase[queue] ^= 1;
    }
}

static void model_run(uint32_t queue, uint32_t tail)
{
    uint32_t depth = queue ? model.sq_depth : (model.aqa & 0xfff) + 1;
    uint64_t base = queue ? model.sq : model.asq;

    while (model.sq_head[queue] != tail) {
        const struct nvme_command *c =
            (const struct nvme_command *)model_memory(base) + model.sq_head[queue];

        if ((queue && (model.mute || model.hold > 0)) || !model_reaches(base, false))
            return;
        if (queue && model.take)
            model.take(c);
        else
            model_answer(queue, c->id, queue ? model_io(c) : model_admin(c));
        model.sq_head[queue] = (model.sq_head[queue] + 1) % depth;
    }
}

static uint32_t model_word(uint32_t offset)
{
    uint32_t v;

    memcpy(&v, played.bar + offset, 4);
    return v;
}

static uint32_t model_read(uint32_t offset)
{
    switch (offset) {
    case 0x00: return 2u << 24 | 63; /* queues of 64, one second */
    case 0x04: return 0;
    case 0x1c: return model.no_ready ? 1 : model_word(0x14) & 1;
    default: return model_word(offset);
    }
}

static void model_write(uint32_t offset, uint32_t value)
{
    if (offset == 0x14 && (value & 1)) {
        model.aqa = model_word(0x24);
        model.asq = model_word(0x28) | (uint64_t)model_word(0x2c) << 32;
        model.acq = model_word(0x30) | (uint64_t)model_word(0x34) << 32;
        for (unsigned q = 0; q < 2; q++) {
            model.sq_head[q] = model.cq_tail[q] = 0;
            model.phase[q] = 1;
        }
    }
    if (offset == 0x14 && !(value & 1) && (played.config[4] & PCI_COMMAND_MASTER))
        model.master_early = true;
    if (offset == 0x1000 || offset == 0x1008)
        model_run((offset - 0x1000) / 8, value);
}

static inline void model_init(uint32_t shift)
{
    static uint8_t pattern[MODEL_BYTES];
    static bool made;

    memset(&model, 0, sizeof(model));
    model.shift = shift;
    model.mdts = 4;
    for (uint32_t i = 0; !made && i < MODEL_BYTES; i++)
        pattern[i] = (uint8_t)(i / 512 * 5 + i);
    made = true;
    memcpy(model.bytes, pattern, MODEL_BYTES);
    played_init(0x1b36, 0x0010, 0x010802);
    played.read = model_read;
    played.write = model_write;
    memset(played.bar, 0, sizeof(played.bar));
    played.bar[0x14] = 1; /* the firmware left it running */
    played.config[4] = PCI_COMMAND_MASTER;
}

#endif
