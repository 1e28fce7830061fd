/* A disk's GUID partition table, written for tests: blocks of 512 bytes, both copies. */
#ifndef MODEL_GPT_H
#define MODEL_GPT_H

#include <stdint.h>
#include <string.h>

#define GPT_ENTRY_BYTES 128u
#define GPT_ENTRIES     128u
#define GPT_BLOCKS      (GPT_ENTRY_BYTES * GPT_ENTRIES / 512)

static struct {
    uint8_t *bytes;
    uint64_t blocks;
} gpt_disk;

static inline void gpt_put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Bit by bit, unlike the one under test. */
static inline uint32_t gpt_crc(const uint8_t *p, size_t len)
{
    uint32_t c = ~0u;

    while (len--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

static inline uint8_t *gpt_entries(bool backup)
{
    return gpt_disk.bytes + (backup ? gpt_disk.blocks - 1 - GPT_BLOCKS : 2) * 512;
}

static inline void gpt_make(uint8_t *bytes, uint64_t blocks)
{
    gpt_disk.bytes = bytes;
    gpt_disk.blocks = blocks;
    memset(bytes, 0, (2 + GPT_BLOCKS) * 512);
    memset(gpt_entries(true), 0, (1 + GPT_BLOCKS) * 512);
    bytes[446 + 4] = 0xee;
    bytes[510] = 0x55;
    bytes[511] = 0xaa;
}

static inline void gpt_add(unsigned index, uint64_t first, uint64_t blocks)
{
    for (int backup = 0; backup < 2; backup++) {
        uint8_t *e = gpt_entries(backup) + GPT_ENTRY_BYTES * index;

        e[0] = 0xaf;
        gpt_put(e + 32, first, 8);
        gpt_put(e + 40, first + blocks - 1, 8);
    }
}

static inline void gpt_seal(void)
{
    for (int backup = 0; backup < 2; backup++) {
        uint64_t at = backup ? gpt_disk.blocks - 1 : 1;
        uint8_t *h = gpt_disk.bytes + at * 512;

        memcpy(h, "EFI PART", 8);
        gpt_put(h + 8, 0x10000, 4);
        gpt_put(h + 12, 92, 4);
        gpt_put(h + 24, at, 8);
        gpt_put(h + 32, backup ? 1 : gpt_disk.blocks - 1, 8);
        gpt_put(h + 40, 2 + GPT_BLOCKS, 8);
        gpt_put(h + 48, gpt_disk.blocks - 2 - GPT_BLOCKS, 8);
        gpt_put(h + 72, (uint64_t)(gpt_entries(backup) - gpt_disk.bytes) / 512, 8);
        gpt_put(h + 80, GPT_ENTRIES, 4);
        gpt_put(h + 84, GPT_ENTRY_BYTES, 4);
        gpt_put(h + 88, gpt_crc(gpt_entries(backup), GPT_ENTRY_BYTES * GPT_ENTRIES), 4);
        gpt_put(h + 16, 0, 4);
        gpt_put(h + 16, gpt_crc(h, 92), 4);
    }
}

#endif
