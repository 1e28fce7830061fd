/* Finding disks, and finding them again by name. */
#include "disks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/xen.h>

#include <rt/clock.h>
#include <rt/log.h>
#include <rt/start.h>

static const struct disk_hardware *const hardware[] = {
    &nvme_hardware,
    &virtio_blk_hardware,
};
#define HARDWARE_KINDS (sizeof(hardware) / sizeof(hardware[0]))

#define LABEL_PREFIX "/dev/disk/by-partlabel/"

/* ---- taking devices --------------------------------------------------------------------- */

static void table_log(const struct disk *disk)
{
    static const char *const states[] = {
        [GPT_NONE] = "no partition table",
        [GPT_OK] = "GPT",
        [GPT_BACKUP] = "GPT, by its backup",
        [GPT_CORRUPT] = "a damaged GPT: no partitions",
    };
    const struct gpt *gpt = &disk->gpt;

    log_line("%s: %" PRIu64 " MiB, sectors of %u, %s%s, %u partitions", disk->name,
             disk->blk.sectors >> 11, disk->blk.sector_size, states[gpt->state],
             disk->blk.read_only ? ", read-only" : "", gpt->count);
    if (gpt->why)
        log_line("%s: the primary GPT %s", disk->name, gpt->why);
    for (uint32_t i = 0; i < gpt->count; i++)
        if (gpt->partitions[i].broken)
            log_line("%s%s%u: outside the disk or over another partition, not served", disk->name,
                     disk->part, gpt->partitions[i].number);
}

static int table_read(struct disk *disk)
{
    struct blk_disk *blk = &disk->blk;

    disk_head_read(disk);

    int rc = gpt_read(&disk->gpt, disk, blk->sectors / (blk->sector_size / BLK_SECTOR),
                      blk->sector_size);

    disk_head_forget(disk);
    if (disk->late > 0)
        log_line("%s: %u interrupts did not come in time", disk->name, disk->late);
    if (rc < 0)
        log_line("%s: cannot be read", disk->name);
    else
        table_log(disk);
    return rc;
}

static void name_make(char *name, const struct disk_hardware *kind, uint32_t number)
{
    if (kind->letters)
        (void)snprintf(name, DISK_NAME_LEN, "%s%c%s", kind->prefix, (char)('a' + number),
                       kind->suffix);
    else
        (void)snprintf(name, DISK_NAME_LEN, "%s%u%s", kind->prefix, number, kind->suffix);
}

static void function_take(struct disks *d, const struct pci_function *f, uint32_t *numbers,
                          uint8_t *kept)
{
    char name[DISK_NAME_LEN];

    for (size_t i = 0; i < HARDWARE_KINDS; i++) {
        struct disk *disk;

        if (!hardware[i]->matches(f))
            continue;
        if (d->count == DISKS_MAX) {
            log_line("%02x:%02x.%u: more disks than are supported", f->bus, f->slot, f->function);
            return;
        }
        name_make(name, hardware[i], numbers[i]++);
        if (hardware[i]->open(f, name, &disk) < 0)
            return;
        disk->part = hardware[i]->part;
        (void)table_read(disk);
        disk->mortal = d->mortal;
        disk->blamed = kept;
        d->disks[d->count++] = disk;
        return;
    }
    log_line("%02x:%02x.%u: no driver for class %06x", f->bus, f->slot, f->function, f->class);
}

void disks_open(struct disks *d, uint8_t kept[DISKS_MAX], int argc, char **argv)
{
    struct pci_function functions[DISKS_MAX];
    uint32_t numbers[HARDWARE_KINDS] = {0};
    uint32_t count = pci_chosen(argc, argv, functions, DISKS_MAX);

    *d = (struct disks){.mortal = start_has_word(argc, argv, START_MORTAL)};
    for (uint32_t i = 0; i < count; i++)
        if (functions[i].config)
            function_take(d, &functions[i], numbers, &kept[i]);
}

/* ---- names ------------------------------------------------------------------------------ */

/* Appends to a line as far as there is room. */
__attribute__((format(printf, 3, 4))) static void add(char *why, size_t len, const char *format,
                                                      ...)
{
    size_t at = strlen(why);
    va_list args;

    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start */
    (void)vsnprintf(why + at, len - at, format, args);
    va_end(args);
}

static void add_disk(char *why, size_t len, const struct disk *disk)
{
    add(why, len, " /dev/%s (%" PRIu64 " MiB)", disk->name, disk->blk.sectors >> 11);
    for (uint32_t i = 0; i < disk->gpt.count; i++) {
        const struct gpt_partition *p = &disk->gpt.partitions[i];

        add(why, len, " /dev/%s%s%u", disk->name, disk->part, p->number);
        if (p->label[0])
            add(why, len, " \"%s\"", p->label);
    }
    if (disk->gpt.state == GPT_CORRUPT)
        add(why, len, " with a damaged GPT (its primary %s)", disk->gpt.why);
}

/* What there is: the whole truth in one line. */
static int missing(const struct disks *d, const char *name, char *why, size_t len)
{
    (void)snprintf(why, len, "there is no %s", name);
    if (d->count == 0) {
        add(why, len, ": this backend has no disk at all");
        return -XEN_ENOENT;
    }
    add(why, len, ": this backend has");
    for (uint32_t i = 0; i < d->count; i++)
        add_disk(why, len, d->disks[i]);
    return -XEN_ENOENT;
}

static int partition_use(struct disk *disk, const struct gpt_partition *p,
                         struct blk_volume *volume, char *why, size_t len)
{
    uint64_t ratio = disk->blk.sector_size / BLK_SECTOR;

    if (p->broken) {
        (void)snprintf(why, len, "/dev/%s%s%u lies outside its disk or over another partition",
                       disk->name, disk->part, p->number);
        return -XEN_ENOENT;
    }
    *volume = (struct blk_volume){
        .disk = &disk->blk,
        .first = p->first * ratio,
        .sectors = (p->last - p->first + 1) * ratio,
        .read_only = disk->blk.read_only,
    };
    return 0;
}

static int find_label(const struct disks *d, const char *name, struct blk_volume *volume, char *why,
                      size_t len)
{
    const char *label = name + strlen(LABEL_PREFIX);
    const struct gpt_partition *p = NULL;
    struct disk *on = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        const struct gpt_partition *found;
        uint32_t here = gpt_find_label(&d->disks[i]->gpt, label, &found);

        if (here > 0 && count == 0) {
            p = found;
            on = d->disks[i];
        }
        count += here;
    }
    if (count == 0 || label[0] == '\0')
        return missing(d, name, why, len);
    if (count > 1) {
        (void)snprintf(why, len, "%u partitions have the label \"%s\": name one by its number",
                       count, label);
        return -XEN_ENOENT;
    }
    return partition_use(on, p, volume, why, len);
}

/* The number after a disk's name; 0 if the rest is no partition's name. */
static uint32_t part_number(const char *rest, const char *part)
{
    size_t len = strlen(part);
    char *end;

    if (strncmp(rest, part, len) != 0 || rest[len] < '1' || rest[len] > '9')
        return 0;

    unsigned long number = strtoul(rest + len, &end, 10);

    return *end == '\0' && number <= UINT32_MAX ? (uint32_t)number : 0;
}

int disks_find(const struct disks *d, const char *name, struct blk_volume *volume, char *why,
               size_t why_len)
{
    if (strncmp(name, LABEL_PREFIX, strlen(LABEL_PREFIX)) == 0)
        return find_label(d, name, volume, why, why_len);
    for (uint32_t i = 0; i < d->count; i++) {
        struct disk *disk = d->disks[i];
        size_t len = strlen(disk->name);

        if (strncmp(name, "/dev/", 5) != 0 || strncmp(name + 5, disk->name, len) != 0)
            continue;

        const char *rest = name + 5 + len;
        const struct gpt_partition *p = gpt_find_number(&disk->gpt, part_number(rest, disk->part));

        if (*rest == '\0') {
            *volume = (struct blk_volume){
                .disk = &disk->blk, .sectors = disk->blk.sectors, .read_only = disk->blk.read_only};
            return 0;
        }
        if (p)
            return partition_use(disk, p, volume, why, why_len);
    }
    return missing(d, name, why, why_len);
}

/* ---- running ---------------------------------------------------------------------------- */

bool disks_poll(struct disks *d)
{
    bool any = false;

    for (uint32_t i = 0; i < d->count; i++)
        any = d->disks[i]->blk.driver->poll(&d->disks[i]->blk) || any;
    return any;
}

void disks_kick(struct disks *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        d->disks[i]->blk.driver->kick(&d->disks[i]->blk);
}

bool disks_are_silent(const struct disks *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->disks[i]->silent)
            return true;
    return false;
}

uint64_t disks_tick(struct disks *d)
{
    uint64_t now = clock_now(), next = UINT64_MAX;

    for (uint32_t i = 0; i < d->count; i++) {
        uint64_t at = d->disks[i]->blk.driver->tick(&d->disks[i]->blk, now);

        if (at < next)
            next = at;
    }
    return next;
}
