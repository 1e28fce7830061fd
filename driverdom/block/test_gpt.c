/* The partition table reader over disks in memory: good, damaged, and hostile ones. */
#include "gpt.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define BLOCKS 256u

struct disk {
    uint32_t block_size;
    uint8_t bytes[BLOCKS * 4096u];
};
static struct disk disk;
static struct gpt gpt;

int disk_read_blocks(struct disk *d, uint64_t block, uint32_t count, void *buffer)
{
    if (block >= BLOCKS || count > BLOCKS - block)
        abort();
    memcpy(buffer, d->bytes + block * d->block_size, (size_t)count * d->block_size);
    return 0;
}

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Bit by bit, unlike the one under test. */
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

static uint8_t *block(uint64_t n)
{
    return disk.bytes + n * disk.block_size;
}

static void header_seal(uint64_t at, uint64_t entries)
{
    uint8_t *h = block(at);

    put(h + 88, crc(block(entries), 128ul * 128), 4);
    put(h + 16, 0, 4);
    put(h + 16, crc(h, 92), 4);
}

static void header_make(uint64_t at, uint64_t other, uint64_t entries)
{
    uint8_t *h = block(at);

    memcpy(h, "EFI PART", sizeof("EFI PART"));
    put(h + 8, 0x10000, 4);
    put(h + 12, 92, 4);
    put(h + 24, at, 8);
    put(h + 32, other, 8);
    put(h + 40, 40, 8);
    put(h + 48, BLOCKS - 41, 8);
    put(h + 72, entries, 8);
    put(h + 80, 128, 4);
    put(h + 84, 128, 4);
    header_seal(at, entries);
}

static void entry_make(unsigned index, uint64_t first, uint64_t last, const char *label)
{
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *e = block(copy ? BLOCKS - 33 : 2) + 128ul * index;

        e[0] = 0xaf;
        put(e + 32, first, 8);
        put(e + 40, last, 8);
        for (unsigned i = 0; label[i]; i++)
            e[56 + 2 * i] = (uint8_t)label[i];
    }
}

static void disk_seal(void)
{
    header_make(1, BLOCKS - 1, 2);
    header_make(BLOCKS - 1, 1, BLOCKS - 33);
}

static void disk_make(uint32_t block_size)
{
    memset(&disk, 0, sizeof(disk));
    disk.block_size = block_size;
    disk.bytes[446 + 4] = 0xee;
    disk.bytes[510] = 0x55;
    disk.bytes[511] = 0xaa;
    entry_make(0, 40, 79, "boot");
    entry_make(2, 80, 99, "data");
    disk_seal();
}

static void read_it(void)
{
    EXPECT(gpt_read(&gpt, &disk, BLOCKS, disk.block_size) == 0);
}

TEST(good_table_both_block_sizes)
{
    for (uint32_t size = 512; size <= 4096; size *= 8) {
        const struct gpt_partition *p = NULL;

        disk_make(size);
        read_it();
        EXPECT(gpt.state == GPT_OK && gpt.count == 2 && !gpt.why);
        p = gpt_find_number(&gpt, 3);
        EXPECT(p && p->first == 80 && p->last == 99 && !p->broken);
        EXPECT(gpt_find_number(&gpt, 2) == NULL);
        EXPECT(gpt_find_label(&gpt, "boot", &p) == 1 && p->number == 1);
        EXPECT(gpt_find_label(&gpt, "none", &p) == 0);
    }
}

TEST(no_protective_mbr_is_no_table)
{
    disk_make(512);
    disk.bytes[450] = 0x83;
    read_it();
    EXPECT(gpt.state == GPT_NONE && gpt.count == 0);
}

TEST(every_flipped_header_byte_falls_back_to_backup)
{
    for (unsigned i = 0; i < 92; i++) {
        disk_make(512);
        block(1)[i] ^= 0x10;
        read_it();
        EXPECT(gpt.state == GPT_BACKUP && gpt.count == 2 && gpt.why);
    }
}

TEST(flipped_entry_falls_back_to_backup)
{
    disk_make(512);
    block(2)[100] ^= 1;
    read_it();
    EXPECT(gpt.state == GPT_BACKUP);
    EXPECT(strcmp(gpt.why, "has a wrong checksum of its entries") == 0);
}

TEST(both_copies_damaged)
{
    disk_make(512);
    block(1)[0] = 0;
    block(BLOCKS - 1)[0] = 0;
    read_it();
    EXPECT(gpt.state == GPT_CORRUPT && gpt.count == 0);
    EXPECT(strcmp(gpt.why, "has no signature") == 0);
}

/* Checksums are no defence against a hostile writer: fields are checked after them. */
static void hostile_field(unsigned offset, uint64_t value, unsigned bytes)
{
    disk_make(512);
    for (int copy = 0; copy < 2; copy++) {
        put(block(copy ? BLOCKS - 1 : 1) + offset, value, bytes);
        uint8_t *h = block(copy ? BLOCKS - 1 : 1);

        put(h + 16, 0, 4);
        put(h + 16, crc(h, 92), 4);
    }
    read_it();
    EXPECT(gpt.state == GPT_CORRUPT && gpt.count == 0);
}

TEST(hostile_fields)
{
    hostile_field(12, 91, 4);
    hostile_field(12, 513, 4);
    hostile_field(12, UINT32_MAX, 4);
    hostile_field(40, BLOCKS - 1, 8);
    hostile_field(48, BLOCKS, 8);
    hostile_field(48, UINT64_MAX, 8);
    hostile_field(72, 0, 8);
    hostile_field(72, BLOCKS - 3, 8);
    hostile_field(72, UINT64_MAX, 8);
    hostile_field(80, 0, 4);
    hostile_field(80, UINT32_MAX, 4);
    hostile_field(84, 0, 4);
    hostile_field(84, 64, 4);
    hostile_field(84, 136, 4);
    hostile_field(84, 0x80000000, 4);
}

TEST(partitions_outside_or_over_each_other_are_broken)
{
    const struct gpt_partition *p;

    disk_make(512);
    entry_make(5, 99, 120, "over data");
    entry_make(6, BLOCKS - 50, BLOCKS - 1, "past the end");
    entry_make(7, 150, 149, "backwards");
    entry_make(8, 2, 39, "before");
    entry_make(9, 130, 140, "data");
    disk_seal();
    read_it();
    EXPECT(gpt.state == GPT_OK && gpt.count == 7);
    EXPECT(gpt_find_number(&gpt, 3)->broken && gpt_find_number(&gpt, 6)->broken);
    EXPECT(gpt_find_number(&gpt, 7)->broken && gpt_find_number(&gpt, 8)->broken);
    EXPECT(gpt_find_number(&gpt, 9)->broken);
    EXPECT(!gpt_find_number(&gpt, 1)->broken && !gpt_find_number(&gpt, 10)->broken);
    EXPECT(gpt_find_label(&gpt, "data", &p) == 2);
}

TEST(labels_become_clean_utf8)
{
    disk_make(512);
    entry_make(0, 40, 79, "");
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *name = block(copy ? BLOCKS - 33 : 2) + 56;

        for (unsigned i = 0; i < 36; i++)
            put(name + 2 * i, 0xffff, 2);
        put(name, 0xe9, 2);
        put(name + 2, 0x1b, 2);
        put(name + 4, 0xd800, 2);
    }
    disk_seal();
    read_it();
    EXPECT(strncmp(gpt.partitions[0].label, "\xc3\xa9??\xef\xbf\xbf", 7) == 0);
    EXPECT(strlen(gpt.partitions[0].label) == 2 + 2 + 33 * 3);
}
