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

/* What a partition table takes at the front, with blocks of 4 KiB: its block, its header, 16 KiB.
 */
#define HEAD_PAGES 6u

bool disk_ends_us(struct disk *disk, uint32_t commands)
{
    if (!disk->mortal || *disk->blamed)
        return false;
    *disk->blamed = true;
    log_line("%s: no answer for more than %u s: this domain ends, its next life does the %u "
             "commands again",
             disk->name, (unsigned)(DISK_TIMEOUT_NS / 1000000000u), commands);
    disk->silent = true;
    return true;
}

void disk_answers(struct disk *disk)
{
    if (!disk->mortal || disk->answered)
        return;
    disk->answered = true;
    *disk->blamed = false;
}

static void await(struct disk *disk, const struct blk_io *io)
{
    struct blk_disk *blk = &disk->blk;

    for (uint32_t looks = 0; !io->done; looks++) {
        if (blk->driver->poll(blk) || looks < DISK_LOOKS_AWAKE)
            continue;

        uint64_t now = clock_now();

        (void)blk->driver->tick(blk, now);
        if (!io->done)
            disk->late += event_wait(now + LOOK_NS) == EVENT_NONE;
    }
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
    await(disk, &io);
    return io.result == BLK_DONE ? 0 : -XEN_EIO;
}

void disk_head_read(struct disk *disk)
{
    struct blk_disk *blk = &disk->blk;
    uint64_t pages = blk->sectors / (PAGE_SIZE / BLK_SECTOR);
    uint32_t count = pages < HEAD_PAGES ? (uint32_t)pages : HEAD_PAGES;
    struct blk_span spans[HEAD_PAGES];
    struct blk_io io = {.op = BLK_READ,
                        .sectors = (uint64_t)count * (PAGE_SIZE / BLK_SECTOR),
                        .spans = spans,
                        .span_count = count};

    disk->head = count > 0 ? memory_pages_alloc(HEAD_PAGES) : NULL;
    if (!disk->head)
        return;
    disk->head_len = count * PAGE_SIZE;
    for (uint32_t i = 0; i < count; i++)
        spans[i] =
            (struct blk_span){memory_dma_address(disk->head + (size_t)i * PAGE_SIZE), PAGE_SIZE};
    blk->driver->submit(blk, &io);
    blk->driver->kick(blk);
    await(disk, &io);
    if (io.result != BLK_DONE)
        disk_head_forget(disk);
}

void disk_head_forget(struct disk *disk)
{
    if (disk->head)
        memory_pages_free(disk->head, HEAD_PAGES);
    disk->head = NULL;
    disk->head_len = 0;
}

int disk_read_blocks(struct disk *disk, uint64_t block, uint32_t count, void *buffer)
{
    uint32_t size = disk->blk.sector_size, step = PAGE_SIZE / size;

    if (block < disk->head_len / size && count <= disk->head_len / size - block) {
        memcpy(buffer, disk->head + block * size, (size_t)count * size);
        return 0;
    }

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
