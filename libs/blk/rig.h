/* Tests and fuzz targets: a guest (domain 2), a back end (domain 1), a RAM disk between them. */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>
#include <string.h>

#include <fake_hv.h>
#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "blk_back.h"
#include "blk_front.h"

#define RIG_BACK                  1
#define RIG_GUEST                 2
#define RIG_SECTORS               4096u
#define RIG_PAGES                 96u /* data pages of the guest, granted as references 100 ... */
#define RIG_REF(page)             (100u + (page))
#define RIG_RING_REF(queue, page) (20u + (queue)*BLK_RING_PAGES_MAX + (page))

/* A disk of memory that finishes what the test lets it, in the order it says. */
struct ramdisk {
    struct blk_disk disk;
    struct blk_io *waiting; /* newest first */
    bool hold;              /* finish nothing */
    bool backwards;         /* finish the newest first */
    unsigned fail_next;     /* so many I/Os fail */
    unsigned flushes, discards, submitted, kicks;
    uint8_t *bytes;
};
static uint8_t ramdisk_bytes[RIG_SECTORS * BLK_SECTOR];

/* A device address of the pretend machine is the address of the owner's page. */
static inline uint8_t *rig_memory(uint64_t dma)
{
    return (uint8_t *)(uintptr_t)dma; /* NOLINT(performance-no-int-to-ptr) */
}

static inline void ramdisk_transfer(struct ramdisk *d, const struct blk_io *io)
{
    uint64_t at = io->sector * BLK_SECTOR, len = 0;

    for (uint32_t i = 0; i < io->span_count; i++) {
        const struct blk_span *s = &io->spans[i];
        uint8_t *memory = rig_memory(s->dma);

        if (s->len == 0 || (s->dma & PAGE_MASK) + s->len > PAGE_SIZE)
            abort();
        if (at + len + s->len > sizeof(ramdisk_bytes))
            abort();
        if (io->op == BLK_READ)
            memcpy(memory, d->bytes + at + len, s->len);
        else
            memcpy(d->bytes + at + len, memory, s->len);
        len += s->len;
    }
    if (len != io->sectors * BLK_SECTOR || len == 0)
        abort();
}

static inline void ramdisk_finish(struct ramdisk *d, struct blk_io *io)
{
    io->result = BLK_DONE;
    if (d->fail_next > 0) {
        d->fail_next--;
        io->result = BLK_ERROR;
    } else if (io->op == BLK_FLUSH) {
        d->flushes++;
    } else if (io->op == BLK_DISCARD) {
        if (io->sectors > RIG_SECTORS || io->sector > RIG_SECTORS - io->sectors)
            abort();
        memset(d->bytes + io->sector * BLK_SECTOR, 0, io->sectors * BLK_SECTOR);
        d->discards++;
    } else {
        ramdisk_transfer(d, io);
    }
    io->done = true;
}

static inline void ramdisk_submit(struct blk_disk *disk, struct blk_io *io)
{
    struct ramdisk *d = (struct ramdisk *)disk;

    io->next = d->waiting;
    d->waiting = io;
    d->submitted++;
}

static inline void ramdisk_kick(struct blk_disk *disk)
{
    ((struct ramdisk *)disk)->kicks++;
}

/* Finishes one I/O: the newest, or the oldest. */
static inline bool ramdisk_step(struct ramdisk *d)
{
    struct blk_io **at = &d->waiting;

    if (!*at)
        return false;
    while (!d->backwards && (*at)->next)
        at = &(*at)->next;

    struct blk_io *io = *at;

    *at = io->next;
    ramdisk_finish(d, io);
    return true;
}

static inline bool ramdisk_poll(struct blk_disk *disk)
{
    struct ramdisk *d = (struct ramdisk *)disk;
    bool any = false;

    while (!d->hold && ramdisk_step(d))
        any = true;
    return any;
}

static const struct blk_driver ramdisk_driver = {
    .submit = ramdisk_submit,
    .kick = ramdisk_kick,
    .poll = ramdisk_poll,
};

struct rig {
    struct ramdisk ram;
    struct blk_batch batch;
    struct blk_back back;
    struct blk_redo *redo; /* in pages that survive */
    struct blk_link link;
    struct blk_volume volume;
    struct blk_front front[BLK_QUEUES_MAX];
    uint8_t *data; /* RIG_PAGES of the guest */
    void *space;
    const char *why;
};

static inline uint8_t *rig_page(struct rig *r, uint32_t page)
{
    return r->data + (size_t)page * PAGE_SIZE;
}

/* The guest's half: rings, ports, grants. */
static inline void rig_make_guest(struct rig *r, uint32_t queues, uint32_t order)
{
    uint32_t ring_pages = 1u << order;
    domid_t before = fake_enter(RIG_GUEST);

    r->data = memory_pages_alloc(RIG_PAGES);
    for (uint32_t i = 0; i < RIG_PAGES; i++)
        fake_grant(RIG_GUEST, RIG_REF(i), RIG_BACK, rig_page(r, i), false);
    r->link = (struct blk_link){
        .peer = RIG_GUEST, .persistent = true, .queue_count = queues, .ring_order = order};
    for (uint32_t q = 0; q < queues; q++) {
        uint8_t *ring = memory_pages_alloc(ring_pages);

        r->link.queues[q].port = fake_port(RIG_GUEST, RIG_BACK);
        for (uint32_t i = 0; i < ring_pages; i++) {
            fake_grant(RIG_GUEST, RIG_RING_REF(q, i), RIG_BACK, ring + (size_t)i * PAGE_SIZE,
                       false);
            r->link.queues[q].refs[i] = RIG_RING_REF(q, i);
        }
        blk_front_init(&r->front[q], ring, ring_pages, r->link.queues[q].port);
        event_open(r->link.queues[q].port);
    }
    (void)fake_enter(before);
}

/* What the back end has of its own, at the start of each life; its records survive. */
static inline void rig_make_back(struct rig *r)
{
    (void)fake_enter(RIG_BACK);
    r->redo = memory_survivor(sizeof(struct blk_redo[BLK_QUEUES_MAX]));
    r->space = memory_space_alloc(BLK_BACK_SPACE);
}

/* Fills the disk with what tells every sector from every other. */
static inline void rig_fill_disk(struct rig *r)
{
    for (uint32_t i = 0; i < sizeof(ramdisk_bytes); i++)
        r->ram.bytes[i] = (uint8_t)(i / BLK_SECTOR * 7 + i);
}

/* A new pair; the caller may change link, volume and disk before rig_connect. */
static inline void rig_init(struct rig *r, uint32_t queues, uint32_t order)
{
    memset(r, 0, sizeof(*r));
    fake_reset();
    r->ram.disk = (struct blk_disk){
        .driver = &ramdisk_driver,
        .sectors = RIG_SECTORS,
        .sector_size = BLK_SECTOR,
        .has_flush = true,
        .has_discard = true,
    };
    r->ram.bytes = ramdisk_bytes;
    rig_make_guest(r, queues, order);
    rig_make_back(r);
    r->volume = (struct blk_volume){.disk = &r->ram.disk, .sectors = RIG_SECTORS};
}

static inline int rig_connect(struct rig *r, bool adopt)
{
    (void)fake_enter(RIG_BACK);
    blk_back_init(&r->back, &r->volume, r->space, &r->batch);
    return blk_back_connect(&r->back, &r->link, r->redo, adopt, &r->why);
}

/* The back end's main loop, until there is nothing to do. */
static inline void rig_run(struct rig *r)
{
    struct blk_disk *disk = &r->ram.disk;
    bool went_on = true;

    (void)fake_enter(RIG_BACK);
    for (unsigned rounds = 0; went_on; rounds++) {
        if (rounds > 10000)
            abort();
        went_on = disk->driver->poll(disk);
        went_on = blk_back_answer(&r->back) || went_on;
        went_on = blk_back_take(&r->back) || went_on;
        disk->driver->kick(disk);
    }
}

#endif
