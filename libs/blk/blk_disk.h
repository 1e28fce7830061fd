/*
 * The seam between the block protocol and what holds the data: a device driver,
 * or a RAM disk in tests. Sectors are always 512 bytes here, whatever the
 * device's own are.
 */
#ifndef BLK_DISK_H
#define BLK_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define BLK_SECTOR 512u

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD };

/* What became of an I/O. */
enum blk_result { BLK_DONE, BLK_ERROR, BLK_UNSUPPORTED };

/* Memory that a device can reach in one piece; it never crosses a page. */
struct blk_span {
    uint64_t dma;
    uint32_t len;
};

/*
 * One operation on a disk. The driver has it from submit until it sets `done`,
 * in any order; it calls nobody. Spans add up to `sectors` for reads and writes.
 */
struct blk_io {
    enum blk_op op;
    bool done;
    enum blk_result result;
    uint64_t sector;
    uint64_t sectors;
    const struct blk_span *spans;
    uint32_t span_count;

    /* The driver's own while it has the I/O. */
    struct blk_io *next;
    uint32_t spans_given;
    uint32_t commands; /* at the device now */
    uint64_t sectors_given;
};

struct blk_disk;

struct blk_driver {
    /* Takes an I/O; it may wait in the driver for room at the device. */
    void (*submit)(struct blk_disk *disk, struct blk_io *io);
    /* Tells the device of everything submitted since the last kick. */
    void (*kick)(struct blk_disk *disk);
    /* Looks for finished I/Os, without sleeping; whether there were any. */
    bool (*poll)(struct blk_disk *disk);
    /* Does what is due by the clock (ns); when it wants to be called again. */
    uint64_t (*tick)(struct blk_disk *disk, uint64_t now);
};

struct blk_disk {
    const struct blk_driver *driver;
    uint64_t sectors;
    uint32_t sector_size; /* 512 or 4096: I/O is in multiples of it */
    uint32_t physical_sector_size;
    bool read_only;
    bool has_flush; /* a volatile write cache */
    bool has_discard;
    uint32_t discard_granularity; /* bytes */
};

/* The part of a disk that one guest has: all of it, or a partition. */
struct blk_volume {
    struct blk_disk *disk;
    uint64_t first;
    uint64_t sectors;
    bool read_only;
};

#endif
