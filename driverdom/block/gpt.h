/* The GUID partition table of a disk: read once, checked to the last byte, never written. */
#ifndef GPT_H
#define GPT_H

#include <stdbool.h>
#include <stdint.h>

struct disk;

/* Used entries that are kept; a table with more is refused. */
#define GPT_PARTITIONS_MAX 128u
/* 36 UTF-16 units, at most three UTF-8 bytes each, and a zero. */
#define GPT_LABEL_LEN      109u

struct gpt_partition {
    uint32_t number;           /* 1 for the table's first entry, used or not */
    bool broken;               /* outside the disk's usable blocks, or over another partition */
    uint64_t first;            /* in blocks of the disk */
    uint64_t last;             /* inclusive */
    char label[GPT_LABEL_LEN]; /* UTF-8; empty if it has none */
};

enum gpt_state {
    GPT_NONE,    /* no protective MBR, so no claim to be GPT: the disk is one piece */
    GPT_OK,      /* the primary table is good */
    GPT_BACKUP,  /* the primary is damaged, the backup at the disk's end is good */
    GPT_CORRUPT, /* the disk says it has a GPT, and neither copy is good */
};

struct gpt {
    enum gpt_state state;
    const char *why; /* what is wrong with the primary; NULL if nothing */
    uint32_t count;
    struct gpt_partition partitions[GPT_PARTITIONS_MAX];
};

/*
 * Reads the table of a disk of `blocks` blocks of `block_size` bytes (512 or
 * 4096). Zero, or a negative error if the disk cannot be read.
 */
int gpt_read(struct gpt *gpt, struct disk *disk, uint64_t blocks, uint32_t block_size);

/* By number; NULL if there is none. */
const struct gpt_partition *gpt_find_number(const struct gpt *gpt, uint32_t number);

/* By label: how many partitions have it, and the first of them. */
uint32_t gpt_find_label(const struct gpt *gpt, const char *label,
                        const struct gpt_partition **found);

/* What gpt.c needs of a disk; the driver has it in disk.c, a test over plain bytes. */
int disk_read_blocks(struct disk *disk, uint64_t block, uint32_t count, void *buffer);

#endif
