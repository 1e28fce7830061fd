/* The NVMe driver against a small controller in memory. */
#include "nvme.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <fake_hv.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "check.h"
#include "model_nvme.h"

static struct disk *disk;
static struct nvme *nvme;
static uint8_t *data;

int irq_alloc(uint64_t *address, uint32_t *data_out)
{
    *address = 0xfee00000;
    *data_out = 0x40;
    return 1;
}

static int open_it(void)
{
    struct pci_function f;

    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(nvme_hardware.matches(&f));
    int rc = nvme_hardware.open(&f, "nvme0n1", &disk);

    nvme = (struct nvme *)disk;
    return rc;
}

static void start(uint32_t shift)
{
    fake_reset();
    model_init(shift);
    EXPECT(open_it() == 0);
    data = memory_pages_alloc(80);
}

/* An I/O over whole pages of `data`, and its spans. */
static struct blk_span spans[80];
static struct blk_io io_make(enum blk_op op, uint64_t sector, uint32_t pages)
{
    for (uint32_t i = 0; i < pages; i++)
        spans[i] = (struct blk_span){memory_dma_address(data + i * PAGE_SIZE), PAGE_SIZE};
    return (struct blk_io){
        .op = op, .sector = sector, .sectors = 8ull * pages, .spans = spans, .span_count = pages};
}

static void run(struct blk_io *io)
{
    const struct blk_driver *d = disk->blk.driver;

    d->submit(&disk->blk, io);
    d->kick(&disk->blk);
    while (d->poll(&disk->blk))
        ;
}

TEST(start_in_order)
{
    start(9);
    EXPECT(!model.master_early && !model.silent);
    EXPECT(disk->blk.sectors == MODEL_BYTES / 512 && disk->blk.sector_size == 512);
    EXPECT(disk->blk.has_flush && disk->blk.has_discard);
    EXPECT(nvme->transfer_max == 64 * 1024);
    EXPECT(mmio_read32(played.bar + 0x3000) == 0xfee00000 && mmio_read32(played.bar + 0x300c) == 0);
    EXPECT((played.config[4] & 6) == 6);
}

TEST(will_not_stop)
{
    fake_reset();
    model_init(9);
    model.no_ready = true;
    fake_idle(NULL, NULL);
    /* Time stands still in tests: the wait is ended by a clock that is past the limit. */
    played.bar[0x1c] = 0xff;
    played.read = NULL;
    memset(played.bar + 0x1c, 0xff, 4);
    EXPECT(open_it() == -XEN_ENODEV);
    EXPECT(!(played.config[4] & PCI_COMMAND_MASTER));
    EXPECT(strstr(fake_log_last(), "nvme0n1") != NULL);
}

TEST(reads_of_every_size)
{
    for (uint32_t shift = 9; shift <= 12; shift += 3) {
        start(shift);
        for (uint32_t pages = 1; pages <= 64; pages++) {
            struct blk_io io = io_make(BLK_READ, 8 * pages, pages);

            memset(data, 0, 80 * PAGE_SIZE);
            run(&io);
            EXPECT(io.done && io.result == BLK_DONE);
            EXPECT(memcmp(data, model.bytes + 4096 * pages, pages * PAGE_SIZE) == 0);
            EXPECT(data[pages * PAGE_SIZE] == 0);
        }
        EXPECT(model.largest == 64 * 1024);
        EXPECT(nvme->busy == 0 && nvme->deadline == UINT64_MAX);
    }
}

TEST(pieces_that_one_command_cannot_name)
{
    start(9);
    spans[0] = (struct blk_span){(uintptr_t)data + 1024, 512};
    spans[1] = (struct blk_span){(uintptr_t)data + PAGE_SIZE + 3584, 512};
    spans[2] = (struct blk_span){(uintptr_t)data + 2 * PAGE_SIZE, 4096};
    spans[3] = (struct blk_span){(uintptr_t)data + 3 * PAGE_SIZE, 1024};
    struct blk_io io = {
        .op = BLK_READ, .sector = 3, .sectors = 12, .spans = spans, .span_count = 4};

    run(&io);
    EXPECT(io.done && io.result == BLK_DONE && model.commands == 2);
    EXPECT(memcmp(data + 1024, model.bytes + 3 * 512, 512) == 0);
    EXPECT(memcmp(data + PAGE_SIZE + 3584, model.bytes + 4 * 512, 512) == 0);
    EXPECT(memcmp(data + 2 * PAGE_SIZE, model.bytes + 5 * 512, 4096) == 0);
    EXPECT(memcmp(data + 3 * PAGE_SIZE, model.bytes + 13 * 512, 1024) == 0);

    /* On blocks of 4 KiB a piece of a block cannot be a command: an error, and nothing hangs. */
    start(12);
    io.spans = spans;
    io.sector = 8;
    spans[0] = (struct blk_span){(uintptr_t)data + 1024, 512};
    run(&io);
    EXPECT(io.done && io.result == BLK_ERROR && nvme->busy == 0);
    io = io_make(BLK_READ, 8, 1);
    run(&io);
    EXPECT(io.done && io.result == BLK_DONE);
}

TEST(flush_discard_error)
{
    start(9);
    struct blk_io io = {.op = BLK_FLUSH};

    run(&io);
    EXPECT(io.done && io.result == BLK_DONE && model.flushes == 1);
    io = (struct blk_io){.op = BLK_DISCARD, .sector = 16, .sectors = 32};
    run(&io);
    EXPECT(io.done && io.result == BLK_DONE && model.discards == 1);
    EXPECT(model.bytes[16 * 512 + 1] == 0 && model.bytes[48 * 512 + 1] != 0);
    model.fail = 1;
    io = io_make(BLK_READ, 0, 40);
    run(&io);
    EXPECT(io.done && io.result == BLK_ERROR && nvme->busy == 0);
    io = io_make(BLK_READ, 0, 40);
    run(&io);
    EXPECT(io.done && io.result == BLK_DONE);
}

TEST(more_than_the_device_takes_at_once)
{
    static struct blk_io ios[200];

    start(9);
    model.hold = 1;
    for (uint32_t i = 0; i < 200; i++) {
        ios[i] = io_make(BLK_READ, 0, 1);
        disk->blk.driver->submit(&disk->blk, &ios[i]);
    }
    disk->blk.driver->kick(&disk->blk);
    EXPECT(nvme->busy == NVME_SLOTS);
    model.hold = 0;
    model_run(1, nvme->io.told_tail);
    while (disk->blk.driver->poll(&disk->blk))
        ;
    for (uint32_t i = 0; i < 200; i++)
        EXPECT(ios[i].done && ios[i].result == BLK_DONE);
    EXPECT(model.commands == 200);
}

/* However far the clock has jumped, the device is looked at many times before it is given up. */
static void give_up(void)
{
    for (uint32_t i = 0; i < DISK_LOOKS; i++) {
        uint64_t next = disk->blk.driver->tick(&disk->blk, clock_now());

        EXPECT(next == clock_now() + DISK_LOOK_NS);
        fake_clock_advance(DISK_LOOK_NS);
    }
    EXPECT(disk->blk.driver->tick(&disk->blk, clock_now()) == UINT64_MAX);
}

TEST(silence_is_ended_by_a_reset)
{
    start(9);
    model.mute = true;
    struct blk_io io = io_make(BLK_READ, 0, 64);

    run(&io);
    EXPECT(!io.done);
    EXPECT(disk->blk.driver->tick(&disk->blk, clock_now()) == clock_now() + DISK_TIMEOUT_NS);
    fake_clock_advance(100 * DISK_TIMEOUT_NS);
    give_up();
    EXPECT(io.done && io.result == BLK_ERROR && nvme->resets == 1 && !nvme->dead);
    model.mute = false;
    io = io_make(BLK_READ, 0, 64);
    run(&io);
    EXPECT(io.done && io.result == BLK_DONE);
}

/* A domain that comes back ends for a silent device, but not for one it just came back for. */
TEST(silence_ends_who_comes_back)
{
    uint8_t blamed = true;

    start(9);
    disk->mortal = true;
    disk->blamed = &blamed;
    struct blk_io io = io_make(BLK_READ, 0, 1);

    model.mute = true;
    run(&io);
    fake_clock_advance(DISK_TIMEOUT_NS);
    give_up();
    EXPECT(io.done && io.result == BLK_ERROR && nvme->resets == 1 && !disk->silent);
    model.mute = false;
    io = io_make(BLK_READ, 0, 1);
    run(&io);
    EXPECT(io.done && io.result == BLK_DONE && !blamed);
    model.mute = true;
    io = io_make(BLK_READ, 0, 1);
    run(&io);
    fake_clock_advance(DISK_TIMEOUT_NS);
    give_up();
    EXPECT(!io.done && nvme->resets == 1 && disk->silent);
    EXPECT(strstr(fake_log_last(), "this domain ends") != NULL);
}

/* Whoever switched it off: after a reset the device may reach memory again. */
TEST(a_reset_lets_it_reach_memory)
{
    start(9);
    model.mute = true;
    struct blk_io io = io_make(BLK_READ, 0, 1);

    run(&io);
    played.config[4] &= (uint8_t)~PCI_COMMAND_MASTER;
    fake_clock_advance(DISK_TIMEOUT_NS);
    give_up();
    EXPECT(nvme->resets == 1 && (played.config[4] & PCI_COMMAND_MASTER));
}

TEST(a_device_that_is_gone)
{
    start(9);
    model.mute = true;
    struct blk_io io = io_make(BLK_READ, 0, 1);

    run(&io);
    played.read = NULL;
    memset(played.bar, 0xff, sizeof(played.bar));
    fake_clock_advance(DISK_TIMEOUT_NS);
    give_up();
    EXPECT(io.done && io.result == BLK_ERROR && nvme->dead);
    EXPECT(!(played.config[4] & PCI_COMMAND_MASTER));
    io = io_make(BLK_READ, 0, 1);
    run(&io);
    EXPECT(io.done && io.result == BLK_ERROR);
}

TEST(completions_of_nothing_are_ignored)
{
    start(9);
    struct nvme_completion *c = model_memory(model.cq);

    c[0] = (struct nvme_completion){.id = 5, .status = 1};
    c[1] = (struct nvme_completion){.id = 0xffff, .status = 1};
    EXPECT(disk->blk.driver->poll(&disk->blk));
    EXPECT(nvme->busy == 0);
}

TEST(waits_for_one_transfer)
{
    uint8_t *page;

    start(9);
    page = memory_pages_alloc(1);
    EXPECT(disk_transfer(disk, BLK_READ, 8, page, 1024) == 0);
    EXPECT(memcmp(page, model.bytes + 4096, 1024) == 0);
    uint8_t blocks[33 * 512];

    EXPECT(disk_read_blocks(disk, 2, 33, blocks) == 0);
    EXPECT(memcmp(blocks, model.bytes + 1024, sizeof(blocks)) == 0);
    model.fail = 1;
    EXPECT(disk_read_blocks(disk, 2, 33, blocks) == -XEN_EIO);
    model.mute = true;
    EXPECT(disk_transfer(disk, BLK_READ, 8, page, 512) == -XEN_EIO);
    EXPECT(nvme->resets == 1);
}
