/* A virtio block device (Virtio 1.1, section 5.2): modern, one queue. */
#include <stdio.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <shm.h>
#include <virtio.h>

#include "disk.h"

#define KIND_BLOCK          2u
#define DEVICE_TRANSITIONAL 0x1001u

#define F_SEG_MAX    (1ull << 2)
#define F_READ_ONLY  (1ull << 5)
#define F_BLOCK_SIZE (1ull << 6)
#define F_FLUSH      (1ull << 9)
#define F_DISCARD    (1ull << 13)

#define CONFIG_CAPACITY          0u
#define CONFIG_SEG_MAX           12u
#define CONFIG_BLOCK_SIZE        20u
#define CONFIG_DISCARD_SECTORS   36u
#define CONFIG_DISCARD_ALIGNMENT 44u
#define CONFIG_DISCARD_END       48u

#define TYPE_IN            0u
#define TYPE_OUT           1u
#define TYPE_FLUSH         4u
#define TYPE_DISCARD       11u
#define STATUS_OK          0u
#define STATUS_UNSUPPORTED 2u
#define STATUS_NONE        0xffu /* what the device overwrites */

/* What one request has beside its data: in memory of ours, reached by the device. */
struct virtio_blk_head {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
    uint64_t discard_sector;
    uint32_t discard_sectors;
    uint32_t discard_flags;
    uint8_t status;
    uint8_t unused[31];
};
_Static_assert(sizeof(struct virtio_blk_head) == 64, "no head crosses a page");

/* More data pieces than any request has. */
#define PIECES_MAX 64u
#define HEAD_PAGES (VIRTQ_SIZE * sizeof(struct virtio_blk_head) / PAGE_SIZE)

struct virtio_blk {
    struct disk disk;
    struct virtio virtio;
    struct virtq queue;
    bool dead;
    uint32_t pieces_max, discard_max;
    struct virtio_blk_head *heads; /* one for each descriptor that may start a request */
    struct blk_io *ios[VIRTQ_SIZE];
    uint64_t since[VIRTQ_SIZE];
    struct blk_io *first, *last; /* waiting, the first perhaps given in part */
    uint32_t busy;
    uint64_t deadline;
    uint32_t looks; /* since it is late */
};

static struct virtio_blk *of(struct blk_disk *blk)
{
    return (struct virtio_blk *)blk;
}

/* ---- requests --------------------------------------------------------------------------- */

/* The data pieces of the next request of an I/O, after the head; how many there are. */
static uint32_t data_add(struct virtio_blk *b, struct virtq_piece *pieces, struct blk_io *io)
{
    uint32_t count = 0;

    while (io->spans_given < io->span_count && count < b->pieces_max) {
        const struct blk_span *s = &io->spans[io->spans_given++];

        pieces[count++] = (struct virtq_piece){s->dma, s->len, io->op == BLK_READ};
        io->sectors_given += s->len / BLK_SECTOR;
    }
    return count;
}

/* Makes one request out of what is left of an I/O; whether there is still more. */
static bool request_give(struct virtio_blk *b, struct blk_io *io)
{
    static const uint32_t types[] = {[BLK_READ] = TYPE_IN,
                                     [BLK_WRITE] = TYPE_OUT,
                                     [BLK_FLUSH] = TYPE_FLUSH,
                                     [BLK_DISCARD] = TYPE_DISCARD};
    struct virtq_piece pieces[PIECES_MAX + 2];
    struct virtio_blk_head *head = &b->heads[b->queue.free];
    uint64_t dma = memory_dma_address(head);
    uint32_t count = 1;

    *head = (struct virtio_blk_head){.type = types[io->op], .status = STATUS_NONE};
    pieces[0] = (struct virtq_piece){.address = dma, .len = 16};
    if (io->op == BLK_READ || io->op == BLK_WRITE) {
        head->sector = io->sector + io->sectors_given;
        count += data_add(b, &pieces[1], io);
    } else if (io->op == BLK_DISCARD) {
        uint64_t left = io->sectors - io->sectors_given;

        head->discard_sector = io->sector + io->sectors_given;
        head->discard_sectors = (uint32_t)(left < b->discard_max ? left : b->discard_max);
        io->sectors_given += head->discard_sectors;
        pieces[count++] = (struct virtq_piece){.address = dma + 16, .len = 16};
    }
    pieces[count++] = (struct virtq_piece){
        .address = dma + offsetof(struct virtio_blk_head, status), .len = 1, .written = true};

    uint16_t id = virtq_put(&b->queue, pieces, count);

    b->ios[id] = io;
    b->since[id] = clock_now();
    if (b->busy++ == 0) {
        b->deadline = b->since[id] + DISK_TIMEOUT_NS;
        b->looks = 0;
    }
    io->commands++;
    return io->op != BLK_FLUSH && io->sectors_given < io->sectors;
}

/* Descriptors of the next request: it is given whole, or later. */
static uint32_t request_size(const struct virtio_blk *b, const struct blk_io *io)
{
    uint32_t left = io->span_count - io->spans_given;

    if (left == 0)
        return 3;
    return (left < b->pieces_max ? left : b->pieces_max) + 2;
}

static void advance(struct virtio_blk *b)
{
    while (b->first && b->queue.free_count >= request_size(b, b->first)) {
        struct blk_io *io = b->first;

        if (io->result == BLK_DONE && request_give(b, io))
            continue;
        b->first = io->next;
        if (io->commands == 0)
            io->done = true;
        io->next = NULL;
    }
}

static void virtio_blk_submit(struct blk_disk *blk, struct blk_io *io)
{
    struct virtio_blk *b = of(blk);

    io->result = b->dead ? BLK_ERROR : BLK_DONE;
    io->spans_given = io->commands = 0;
    io->sectors_given = 0;
    io->next = NULL;
    if (b->dead) {
        io->done = true;
        return;
    }
    if (b->first)
        b->last->next = io;
    else
        b->first = io;
    b->last = io;
    advance(b);
}

static void virtio_blk_kick(struct blk_disk *blk)
{
    virtq_kick(&of(blk)->queue);
}

static void complete(struct virtio_blk *b, uint32_t id)
{
    struct blk_io *io = b->ios[id];
    uint8_t status = shm_read8(&b->heads[id].status);

    b->ios[id] = NULL;
    if (--b->busy == 0)
        b->deadline = UINT64_MAX;
    if (status != STATUS_OK)
        io->result = status == STATUS_UNSUPPORTED ? BLK_UNSUPPORTED : BLK_ERROR;
    if (--io->commands == 0 && b->first != io)
        io->done = true;
}

static bool virtio_blk_poll(struct blk_disk *blk)
{
    struct virtio_blk *b = of(blk);
    bool any = false;
    uint32_t written;
    int id;

    while (!b->dead && (id = virtq_take(&b->queue, &written)) >= 0) {
        complete(b, (uint32_t)id);
        any = true;
    }
    if (any) {
        disk_answers(&b->disk);
        advance(b);
        virtq_kick(&b->queue);
    }
    return any;
}

/* ---- silence ---------------------------------------------------------------------------- */

static void fail_all(struct virtio_blk *b)
{
    for (uint32_t i = 0; i < VIRTQ_SIZE; i++) {
        struct blk_io *io = b->ios[i];

        b->ios[i] = NULL;
        if (io && --io->commands == 0 && b->first != io) {
            io->result = BLK_ERROR;
            io->done = true;
        }
    }
    while (b->first) {
        struct blk_io *io = b->first;

        b->first = io->next;
        io->result = BLK_ERROR;
        io->done = true;
    }
    b->busy = 0;
    b->looks = 0;
}

#define FEATURES (F_SEG_MAX | F_READ_ONLY | F_BLOCK_SIZE | F_FLUSH | F_DISCARD)

static bool restart(struct virtio_blk *b)
{
    const char *why;

    pci_command(&b->virtio.function, PCI_COMMAND_MASTER, 0);
    if (virtio_negotiate(&b->virtio, FEATURES, &why) < 0 ||
        virtq_start(&b->queue, &b->virtio, 0, &why) < 0)
        return false;
    virtio_ready(&b->virtio);
    return true;
}

static uint64_t virtio_blk_tick(struct blk_disk *blk, uint64_t now)
{
    struct virtio_blk *b = of(blk);
    uint64_t oldest = UINT64_MAX;

    if (now < b->deadline)
        return b->deadline;
    for (uint32_t i = 0; i < VIRTQ_SIZE; i++)
        if (b->ios[i] && b->since[i] < oldest)
            oldest = b->since[i];
    b->deadline = oldest == UINT64_MAX ? oldest : oldest + DISK_TIMEOUT_NS;
    if (now < b->deadline)
        b->looks = 0;
    else if (b->looks++ < DISK_LOOKS)
        b->deadline = now + DISK_LOOK_NS;
    if (now < b->deadline)
        return b->deadline;

    if (disk_ends_us(&b->disk, b->busy))
        return UINT64_MAX;
    log_line("%s: no answer for more than %u s: the device is reset, %u requests fail",
             b->disk.name, (unsigned)(DISK_TIMEOUT_NS / 1000000000u), b->busy);
    bool stopped = virtio_reset(&b->virtio);

    pci_command(&b->virtio.function, 0, PCI_COMMAND_MASTER);
    fail_all(b);
    b->dead = !stopped || !restart(b);
    b->deadline = UINT64_MAX;
    if (b->dead)
        log_line("%s: the device does not come back: its I/O fails from now on", b->disk.name);
    return UINT64_MAX;
}

static const struct blk_driver virtio_blk_driver = {
    .submit = virtio_blk_submit,
    .kick = virtio_blk_kick,
    .poll = virtio_blk_poll,
    .tick = virtio_blk_tick,
};

/* ---- start ------------------------------------------------------------------------------ */

/* What the device says of itself, as far as it has the fields. */
static const char *config_read(struct virtio_blk *b)
{
    const struct virtio *v = &b->virtio;
    struct blk_disk *blk = &b->disk.blk;

    if (!v->config || v->config_len < CONFIG_BLOCK_SIZE + 4)
        return "does not say how large it is";
    blk->sectors = mmio_read32(v->config + CONFIG_CAPACITY) |
                   (uint64_t)mmio_read32(v->config + CONFIG_CAPACITY + 4) << 32;
    blk->sector_size = BLK_SECTOR;
    if (v->features & F_BLOCK_SIZE)
        blk->sector_size = mmio_read32(v->config + CONFIG_BLOCK_SIZE);
    if (blk->sector_size != 512 && blk->sector_size != 4096)
        return "has blocks of an unsupported size";
    blk->sectors -= blk->sectors % (blk->sector_size / BLK_SECTOR);
    blk->physical_sector_size = blk->discard_granularity = blk->sector_size;
    blk->read_only = v->features & F_READ_ONLY;
    blk->has_flush = v->features & F_FLUSH;
    b->pieces_max = v->features & F_SEG_MAX ? mmio_read32(v->config + CONFIG_SEG_MAX) : 1;
    if (b->pieces_max == 0)
        b->pieces_max = 1;
    if (b->pieces_max > PIECES_MAX)
        b->pieces_max = PIECES_MAX;
    if ((v->features & F_DISCARD) && v->config_len >= CONFIG_DISCARD_END) {
        uint32_t alignment = mmio_read32(v->config + CONFIG_DISCARD_ALIGNMENT);

        b->discard_max = mmio_read32(v->config + CONFIG_DISCARD_SECTORS);
        blk->has_discard = b->discard_max > 0;
        if (alignment > 0 && alignment < 1u << 20)
            blk->discard_granularity = alignment * BLK_SECTOR;
    }
    return NULL;
}

static const char *start(struct virtio_blk *b)
{
    struct virtio *v = &b->virtio;
    const char *why;
    uint64_t address;
    uint32_t data;

    b->heads = memory_pages_alloc(HEAD_PAGES);
    if (!b->heads)
        return "needs more memory than there is";
    if (virtio_negotiate(v, FEATURES, &why) < 0)
        return why;
    why = config_read(b);
    if (why)
        return why;
    if (irq_alloc(&address, &data) < 0)
        return "gets no interrupt";
    pci_msix_set(&v->msix, 0, address, data);
    pci_msix_enable(&v->msix);
    pci_command(&v->function, PCI_COMMAND_MASTER, 0);
    if (virtq_open(&b->queue, v, 0, 0, &why) < 0)
        return why;
    if (b->pieces_max > b->queue.size - 2)
        b->pieces_max = b->queue.size - 2;
    virtio_ready(v);
    return NULL;
}

static int virtio_blk_open(const struct pci_function *f, const char *name, struct disk **disk)
{
    struct virtio_blk *b = memory_pages_alloc((sizeof(*b) + PAGE_SIZE - 1) / PAGE_SIZE);
    const char *why = "needs more memory than there is";

    *disk = NULL;
    if (b) {
        b->disk.blk.driver = &virtio_blk_driver;
        b->deadline = UINT64_MAX;
        (void)snprintf(b->disk.name, sizeof(b->disk.name), "%s", name);
        if (virtio_open(&b->virtio, f, &why) == 0)
            why = start(b);
    }
    if (why) {
        if (b)
            pci_command(&b->virtio.function, 0, PCI_COMMAND_MASTER);
        log_line("%s (%02x:%02x.%u): the device %s", name, f->bus, f->slot, f->function, why);
        return -XEN_ENODEV;
    }
    *disk = &b->disk;
    return 0;
}

static bool virtio_blk_matches(const struct pci_function *f)
{
    return f->vendor == VIRTIO_VENDOR &&
           (f->device == VIRTIO_DEVICE_MODERN + KIND_BLOCK || f->device == DEVICE_TRANSITIONAL);
}

const struct disk_hardware virtio_blk_hardware = {
    .what = "virtio-blk",
    .matches = virtio_blk_matches,
    .open = virtio_blk_open,
    .prefix = "vd",
    .suffix = "",
    .letters = true,
    .part = "",
};
