/*
 * Bytes: a disk of 512-byte blocks, first half at its start and second half at
 * its end, checksums put right, so that the fields behind them are reached.
 */
#include "gpt.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS 1024u

struct disk {
    uint8_t bytes[BLOCKS * 512u];
};
static struct disk disk;
static struct gpt gpt;

int disk_read_blocks(struct disk *d, uint64_t block, uint32_t count, void *buffer)
{
    if (block >= BLOCKS || count > BLOCKS - block)
        abort();
    memcpy(buffer, d->bytes + block * 512, (size_t)count * 512);
    return 0;
}

static uint32_t crc(const uint8_t *p, size_t len)
{
    uint32_t c = ~0u;

    while (len--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

static uint64_t load(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void seal(uint64_t at)
{
    uint8_t *h = disk.bytes + at * 512;
    uint64_t entries = load(h + 72, 8);
    uint64_t bytes = load(h + 80, 4) * load(h + 84, 4);
    uint64_t len = load(h + 12, 4);

    if (entries < BLOCKS && bytes <= (BLOCKS - entries) * 512)
        store32(h + 88, crc(disk.bytes + entries * 512, bytes));
    store32(h + 16, 0);
    if (len <= 512)
        store32(h + 16, crc(h, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t front = size < 17408 ? size : 17408;
    size_t back = size - front < 17408 ? size - front : 17408;

    memset(&disk, 0, sizeof(disk));
    memcpy(disk.bytes, data, front);
    memcpy(disk.bytes + sizeof(disk.bytes) - back, data + front, back);
    if (size & 1) {
        seal(1);
        seal(BLOCKS - 1);
    }
    if (gpt_read(&gpt, &disk, BLOCKS, 512) != 0 || gpt.count > GPT_PARTITIONS_MAX)
        abort();
    for (uint32_t i = 0; i < gpt.count; i++) {
        const struct gpt_partition *p = &gpt.partitions[i], *found;

        if (strlen(p->label) >= GPT_LABEL_LEN || gpt_find_label(&gpt, p->label, &found) == 0)
            abort();
        if (p->broken)
            continue;
        if (p->first > p->last || p->last >= BLOCKS)
            abort();
        for (uint32_t j = 0; j < i; j++)
            if (!gpt.partitions[j].broken && gpt.partitions[j].first <= p->last &&
                p->first <= gpt.partitions[j].last)
                abort();
    }
    return 0;
}
