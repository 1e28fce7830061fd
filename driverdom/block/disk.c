/* Reading a disk before anything is served from it. */
#include "disk.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <rt/clock.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>

/* An interrupt that is late is not waited for: the disk is asked itself. */
#define LOOK_NS 100000000ull

bool disk_ends_us(struct disk *disk, uint32_t commands)
{
    if (!disk->mortal || !disk->answered)
        return false;
    log_line("%s: no answer for more than %u s: this domain ends, its next life does the %u "
             "commands again",
             disk->name, (unsigned)(DISK_TIMEOUT_NS / 1000000000u), commands);
    disk->silent = true;
    return true;
}

int disk_transfer(struct disk *disk, enum blk_op op, uint64_t sector, void *page, uint32_t len)
{
    struct blk_disk *blk = &disk->blk;
    struct blk_span span = {.dma = len > 0 ? memory_dma_address(page) : 0, .len = len};
    struct blk_io io = {.op = op,
                        .sector = sector,
                        .sectors = len / BLK_SECTOR,
                        .spans = &span,
                        .span_count = len > 0};

    blk->driver->submit(blk, &io);
    blk->driver->kick(blk);
    while (!io.done) {
        if (blk->driver->poll(blk))
            continue;

        uint64_t now = clock_now();

        (void)blk->driver->tick(blk, now);
        if (!io.done)
            disk->late += event_wait(now + LOOK_NS) == EVENT_NONE;
    }
    return io.result == BLK_DONE ? 0 : -XEN_EIO;
}

int disk_read_blocks(struct disk *disk, uint64_t block, uint32_t count, void *buffer)
{
    uint32_t size = disk->blk.sector_size, step = PAGE_SIZE / size;
    uint8_t *page = memory_pages_alloc(1);
    int rc = page ? 0 : -XEN_ENOMEM;

    for (uint32_t i = 0; rc == 0 && i < count; i += step) {
        uint32_t len = (count - i < step ? count - i : step) * size;

        rc = disk_transfer(disk, BLK_READ, (block + i) * (size / BLK_SECTOR), page, len);
        memcpy((uint8_t *)buffer + (size_t)i * size, page, len);
    }
    if (page)
        memory_pages_free(page, 1);
    return rc;
}
