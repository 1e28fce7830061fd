/* NVMe I/O: cutting operations into commands, and what becomes of them. */
#include <abi/addr.h>

#include <rt/clock.h>
#include <rt/log.h>
#include <rt/memory.h>

#include "nvme.h"

#define OP_FLUSH           0x00u
#define OP_WRITE           0x01u
#define OP_READ            0x02u
#define OP_DATASET         0x09u
#define DATASET_DEALLOCATE (1u << 2)
#define NO_SLOT            UINT16_MAX

/* A range of a dataset management command. */
struct nvme_range {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t first;
};

static struct nvme *nvme_of(struct blk_disk *blk)
{
    return (struct nvme *)blk;
}

void nvme_slots_init(struct nvme *n)
{
    uint32_t count = n->io.depth - 1;

    n->free_slot = NO_SLOT;
    for (uint32_t i = count; i-- > 0;) {
        n->slots[i] = (struct nvme_slot){.next_free = n->free_slot};
        n->free_slot = (uint16_t)i;
    }
    n->busy = 0;
    n->deadline = UINT64_MAX;
    n->looks = 0;
}

static uint8_t *slot_list(const struct nvme *n, uint16_t slot)
{
    return n->lists + (size_t)slot * NVME_LIST_BYTES;
}

/*
 * Adds to a command as many of the I/O's pieces as one command can name: only
 * the first may start, and only the last may end, inside a page. Their bytes.
 */
static uint32_t pages_add(struct nvme *n, struct nvme_command *c, uint16_t slot, struct blk_io *io)
{
    uint64_t *list = (uint64_t *)(void *)slot_list(n, slot);
    uint32_t len = 0, count = 0;

    while (io->spans_given < io->span_count) {
        const struct blk_span *s = &io->spans[io->spans_given];

        if (count > 0 && ((s->dma | (s[-1].dma + s[-1].len)) & PAGE_MASK) != 0)
            break;
        if (count > NVME_PAGES_MAX || len + s->len > n->transfer_max)
            break;
        if (count == 0)
            c->prp1 = s->dma;
        else
            list[count - 1] = s->dma;
        len += s->len;
        count++;
        io->spans_given++;
    }
    if (count == 2)
        c->prp2 = list[0];
    else if (count > 2)
        c->prp2 = memory_dma_address(list);
    return len;
}

/* The next command of a read or write. False: its memory cannot be named to this device. */
static bool transfer_fill(struct nvme *n, struct nvme_command *c, uint16_t slot, struct blk_io *io)
{
    uint32_t len = pages_add(n, c, slot, io);
    uint64_t first = (io->sector + io->sectors_given) >> (n->block_shift - 9);

    if (len == 0 || (len & ((1u << n->block_shift) - 1)) != 0)
        return false;
    io->sectors_given += len / BLK_SECTOR;
    c->opcode = io->op == BLK_READ ? OP_READ : OP_WRITE;
    c->word[0] = (uint32_t)first;
    c->word[1] = (uint32_t)(first >> 32);
    c->word[2] = (len >> n->block_shift) - 1;
    return true;
}

static void discard_fill(struct nvme *n, struct nvme_command *c, uint16_t slot, struct blk_io *io)
{
    struct nvme_range *range = (struct nvme_range *)(void *)slot_list(n, slot);
    uint32_t shift = n->block_shift - 9;
    uint64_t blocks = (io->sectors - io->sectors_given) >> shift;

    if (blocks > UINT32_MAX)
        blocks = UINT32_MAX;
    *range = (struct nvme_range){.blocks = (uint32_t)blocks,
                                 .first = (io->sector + io->sectors_given) >> shift};
    io->sectors_given += blocks << shift;
    c->opcode = OP_DATASET;
    c->prp1 = memory_dma_address(range);
    c->word[0] = 0; /* one range */
    c->word[1] = DATASET_DEALLOCATE;
}

/* Puts one command of the I/O into a slot; whether the I/O wants more of them. */
static bool command_give(struct nvme *n, struct blk_io *io)
{
    struct nvme_command *c = nvme_queue_next(&n->io);
    uint16_t slot = n->free_slot;
    bool more = false;

    c->id = slot;
    c->nsid = 1;
    switch (io->op) {
    case BLK_READ:
    case BLK_WRITE:
        if (!transfer_fill(n, c, slot, io)) {
            io->result = BLK_ERROR;
            return false;
        }
        more = io->spans_given < io->span_count;
        break;
    case BLK_DISCARD:
        discard_fill(n, c, slot, io);
        more = io->sectors_given < io->sectors;
        break;
    case BLK_FLUSH: c->opcode = OP_FLUSH; break;
    }
    nvme_queue_push(&n->io);
    n->free_slot = n->slots[slot].next_free;
    n->slots[slot] = (struct nvme_slot){.io = io, .since = clock_now()};
    if (n->busy++ == 0) {
        n->deadline = n->slots[slot].since + DISK_TIMEOUT_NS;
        n->looks = 0;
    }
    n->submitted++;
    io->commands++;
    return more;
}

/* Gives the device what waits, in order, as long as there are slots. */
static void advance(struct nvme *n)
{
    while (n->first && n->free_slot != NO_SLOT) {
        struct blk_io *io = n->first;

        /* Once a command has failed the I/O has failed: the rest of it is not done. */
        if (io->result == BLK_DONE && command_give(n, io))
            continue;
        n->first = io->next;
        if (io->commands == 0)
            io->done = true;
        io->next = NULL;
    }
}

static void nvme_submit(struct blk_disk *blk, struct blk_io *io)
{
    struct nvme *n = nvme_of(blk);

    io->result = n->dead ? BLK_ERROR : BLK_DONE;
    io->spans_given = io->commands = 0;
    io->sectors_given = 0;
    io->next = NULL;
    if (n->dead) {
        io->done = true;
        return;
    }
    if (n->first)
        n->last->next = io;
    else
        n->first = io;
    n->last = io;
    advance(n);
}

static void nvme_kick(struct blk_disk *blk)
{
    struct nvme *n = nvme_of(blk);

    nvme_queue_kick(&n->io);
}

static bool is_waiting(const struct nvme *n, const struct blk_io *io)
{
    return n->first == io;
}

/* A completion that names no command of ours is a broken device, not a broken driver. */
static void complete(struct nvme *n, const struct nvme_completion *c)
{
    if (c->id >= n->io.depth - 1 || !n->slots[c->id].io)
        return;

    struct blk_io *io = n->slots[c->id].io;

    n->slots[c->id] = (struct nvme_slot){.next_free = n->free_slot};
    n->free_slot = c->id;
    if (--n->busy == 0)
        n->deadline = UINT64_MAX;
    if (c->status >> 1 != 0)
        io->result = BLK_ERROR;
    if (--io->commands == 0 && !is_waiting(n, io))
        io->done = true;
}

static bool nvme_poll(struct blk_disk *blk)
{
    struct nvme *n = nvme_of(blk);
    struct nvme_completion c;
    bool any = false;

    while (!n->dead && nvme_queue_take(&n->io, &c)) {
        complete(n, &c);
        any = true;
    }
    if (any) {
        disk_answers(&n->disk);
        nvme_queue_done(&n->io);
        advance(n);
        nvme_queue_kick(&n->io);
    }
    return any;
}

/* The device does not answer: all that it has, and all that waits, fails. */
static void fail_all(struct nvme *n)
{
    for (uint32_t i = 0; i < n->io.depth - 1; i++) {
        struct blk_io *io = n->slots[i].io;

        if (io && --io->commands == 0 && !is_waiting(n, io)) {
            io->result = BLK_ERROR;
            io->done = true;
        }
        n->slots[i].io = NULL;
    }
    while (n->first) {
        struct blk_io *io = n->first;

        n->first = io->next;
        io->result = BLK_ERROR;
        io->done = true;
    }
}

static uint64_t nvme_tick(struct blk_disk *blk, uint64_t now)
{
    struct nvme *n = nvme_of(blk);
    uint64_t oldest = UINT64_MAX;

    if (now < n->deadline)
        return n->deadline;
    for (uint32_t i = 0; i < n->io.depth - 1; i++)
        if (n->slots[i].io && n->slots[i].since < oldest)
            oldest = n->slots[i].since;
    n->deadline = oldest == UINT64_MAX ? oldest : oldest + DISK_TIMEOUT_NS;
    if (now < n->deadline)
        n->looks = 0;
    else if (n->looks++ < DISK_LOOKS)
        n->deadline = now + DISK_LOOK_NS;
    if (now < n->deadline)
        return n->deadline;

    if (disk_ends_us(&n->disk, n->busy))
        return UINT64_MAX;
    n->resets++;
    log_line("%s: no answer for more than %u s: the controller is reset, %u commands fail",
             n->disk.name, (unsigned)(DISK_TIMEOUT_NS / 1000000000u), n->busy);
    /* Memory is only free again when the controller has stopped. */
    bool stopped = nvme_stop(n);

    pci_command(&n->function, 0, PCI_COMMAND_MASTER);
    fail_all(n);
    n->dead = !stopped || nvme_start(n, NULL) < 0;
    n->deadline = UINT64_MAX;
    if (n->dead)
        log_line("%s: the controller does not come back: its I/O fails from now on", n->disk.name);
    return UINT64_MAX;
}

const struct blk_driver nvme_driver = {
    .submit = nvme_submit,
    .kick = nvme_kick,
    .poll = nvme_poll,
    .tick = nvme_tick,
};
