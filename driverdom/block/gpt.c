/* Reads a GUID partition table (UEFI 2.10, section 5.3): protective MBR, primary, then backup. */
#include "gpt.h"

#include <stdlib.h>
#include <string.h>

#include <abi/xen.h>

#define GPT_REVISION_MAJOR    1u
#define GPT_HEADER_LEN        92u
#define GPT_ENTRY_LEN         128u
#define GPT_NAME_UNITS        36u
/* More than any tool makes; bounds what a hostile header can make us read. */
#define GPT_ENTRIES_BYTES_MAX (128u * 1024u)
#define GPT_BLOCK_MAX         4096u

struct gpt_header {
    uint64_t first_usable, last_usable;
    uint64_t entries_block;
    uint32_t entries_count, entry_len;
    uint32_t entries_crc;
};

static uint64_t load(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)load(p, 4);
}

/* CRC-32 as UEFI names it: polynomial 0x04c11db7, reflected. Half a byte at a time. */
static uint32_t crc_add(uint32_t crc, const uint8_t *p, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

/* The first block says that what follows is a GPT: one MBR entry of type 0xee. */
static bool mbr_is_protective(const uint8_t *block)
{
    if (block[510] != 0x55 || block[511] != 0xaa)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (block[446 + 16 * i + 4] == 0xee)
            return true;
    return false;
}

/* Decodes the header that was read from block `at`; returns what is wrong, NULL if nothing is. */
static const char *header_decode(struct gpt_header *h, const uint8_t *block, uint32_t block_size,
                                 uint64_t at, uint64_t blocks)
{
    static const uint8_t zero[4];
    uint32_t len = load32(block + 12);

    if (memcmp(block, "EFI PART", 8) != 0)
        return "has no signature";
    if (load32(block + 8) >> 16 != GPT_REVISION_MAJOR)
        return "has an unknown revision";
    if (len < GPT_HEADER_LEN || len > block_size)
        return "has a header of impossible length";

    uint32_t crc = crc_add(~0u, block, 16);

    crc = crc_add(crc, zero, 4);
    crc = ~crc_add(crc, block + 20, len - 20);
    if (crc != load32(block + 16))
        return "has a wrong header checksum";
    if (load(block + 24, 8) != at)
        return "belongs to another block";

    h->first_usable = load(block + 40, 8);
    h->last_usable = load(block + 48, 8);
    h->entries_block = load(block + 72, 8);
    h->entries_count = load32(block + 80);
    h->entry_len = load32(block + 84);
    h->entries_crc = load32(block + 88);
    if (h->first_usable > h->last_usable || h->last_usable >= blocks)
        return "is for a larger disk";
    if (h->entry_len < GPT_ENTRY_LEN || h->entry_len > GPT_BLOCK_MAX ||
        (h->entry_len & (h->entry_len - 1)) != 0)
        return "has entries of impossible length";
    if (h->entries_count == 0 || h->entries_count > GPT_ENTRIES_BYTES_MAX / h->entry_len)
        return "has too many entries";

    uint64_t count = ((uint64_t)h->entries_count * h->entry_len + block_size - 1) / block_size;

    if (h->entries_block < 2 || h->entries_block >= blocks || count > blocks - h->entries_block)
        return "has its entries outside the disk";
    return NULL;
}

/* One UTF-16 unit as UTF-8. Half of a surrogate pair, or a control character, becomes '?'. */
static char *label_put(char *out, uint32_t unit)
{
    if (unit < 0x20 || unit == 0x7f || (unit >= 0xd800 && unit < 0xe000))
        unit = '?';
    if (unit < 0x80) {
        *out++ = (char)unit;
    } else if (unit < 0x800) {
        *out++ = (char)(0xc0 | unit >> 6);
        *out++ = (char)(0x80 | (unit & 0x3f));
    } else {
        *out++ = (char)(0xe0 | unit >> 12);
        *out++ = (char)(0x80 | (unit >> 6 & 0x3f));
        *out++ = (char)(0x80 | (unit & 0x3f));
    }
    return out;
}

static void entry_decode(struct gpt_partition *p, const uint8_t *entry, uint32_t number,
                         const struct gpt_header *h)
{
    char *out = p->label;

    p->number = number;
    p->first = load(entry + 32, 8);
    p->last = load(entry + 40, 8);
    p->broken = p->first > p->last || p->first < h->first_usable || p->last > h->last_usable;
    for (unsigned i = 0; i < GPT_NAME_UNITS; i++) {
        uint32_t unit = (uint32_t)load(entry + 56 + (size_t)2 * i, 2);

        if (unit == 0)
            break;
        out = label_put(out, unit);
    }
    *out = '\0';
}

/* Two partitions over the same blocks would let one guest write another's data: neither is good. */
static void overlaps_mark(struct gpt *gpt)
{
    for (uint32_t i = 0; i < gpt->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            struct gpt_partition *a = &gpt->partitions[i], *b = &gpt->partitions[j];

            if (a->first <= b->last && b->first <= a->last)
                a->broken = b->broken = true;
        }
    }
}

static const char *entries_decode(struct gpt *gpt, const struct gpt_header *h, const uint8_t *bytes)
{
    static const uint8_t unused[16];

    if (~crc_add(~0u, bytes, (size_t)h->entries_count * h->entry_len) != h->entries_crc)
        return "has a wrong checksum of its entries";
    gpt->count = 0;
    for (uint32_t i = 0; i < h->entries_count; i++) {
        const uint8_t *entry = bytes + (size_t)i * h->entry_len;

        if (memcmp(entry, unused, sizeof(unused)) == 0)
            continue;
        if (gpt->count == GPT_PARTITIONS_MAX) {
            gpt->count = 0;
            return "has more partitions than are supported";
        }
        entry_decode(&gpt->partitions[gpt->count++], entry, i + 1, h);
    }
    overlaps_mark(gpt);
    return NULL;
}

/* Reads and decodes the copy whose header is at block `at`. */
static int copy_read(struct gpt *gpt, struct disk *disk, uint64_t at, uint64_t blocks,
                     uint32_t block_size, const char **why)
{
    uint8_t header[GPT_BLOCK_MAX];
    struct gpt_header h;
    int rc = disk_read_blocks(disk, at, 1, header);

    if (rc < 0)
        return rc;
    *why = header_decode(&h, header, block_size, at, blocks);
    if (*why)
        return 0;

    uint32_t count = (h.entries_count * h.entry_len + block_size - 1) / block_size;
    uint8_t *bytes = malloc((size_t)count * block_size);

    if (!bytes)
        return -XEN_ENOMEM;
    rc = disk_read_blocks(disk, h.entries_block, count, bytes);
    if (rc >= 0)
        *why = entries_decode(gpt, &h, bytes);
    free(bytes);
    return rc;
}

int gpt_read(struct gpt *gpt, struct disk *disk, uint64_t blocks, uint32_t block_size)
{
    uint8_t block[GPT_BLOCK_MAX];
    const char *why;

    gpt->state = GPT_NONE;
    gpt->why = NULL;
    gpt->count = 0;
    if (block_size < 512 || block_size > GPT_BLOCK_MAX || blocks < 6)
        return 0;

    int rc = disk_read_blocks(disk, 0, 1, block);

    if (rc < 0)
        return rc;
    if (!mbr_is_protective(block))
        return 0;
    gpt->state = GPT_CORRUPT;
    rc = copy_read(gpt, disk, 1, blocks, block_size, &gpt->why);
    if (rc >= 0 && !gpt->why)
        gpt->state = GPT_OK;
    if (rc < 0 || !gpt->why)
        return rc;
    rc = copy_read(gpt, disk, blocks - 1, blocks, block_size, &why);
    if (rc >= 0 && !why)
        gpt->state = GPT_BACKUP;
    return rc;
}

const struct gpt_partition *gpt_find_number(const struct gpt *gpt, uint32_t number)
{
    for (uint32_t i = 0; i < gpt->count; i++)
        if (gpt->partitions[i].number == number)
            return &gpt->partitions[i];
    return NULL;
}

uint32_t gpt_find_label(const struct gpt *gpt, const char *label,
                        const struct gpt_partition **found)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < gpt->count; i++)
        if (strcmp(gpt->partitions[i].label, label) == 0 && count++ == 0)
            *found = &gpt->partitions[i];
    return count;
}
