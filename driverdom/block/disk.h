/* A disk of this domain: what every driver of one has in common, and reading it before it serves.
 */
#ifndef DISK_H
#define DISK_H

#include <blk_disk.h>
#include <pci.h>

#include "gpt.h"

#define DISK_NAME_LEN   16u
/*
 * How long a device may take for a command, and how often it is looked at after
 * that, before it is reset and its I/O fails: a clock that jumps (the host slept,
 * or an emulator counts instructions) is no proof of silence.
 */
#define DISK_TIMEOUT_NS 10000000000ull
#define DISK_LOOKS      1000u
#define DISK_LOOK_NS    10000000ull

/* Looks at a disk before this domain sleeps for it: to sleep and wake takes longer than most I/O.
 */
#define DISK_LOOKS_AWAKE 2000u

struct disk {
    struct blk_disk blk; /* first, so that the one is the other */
    char name[DISK_NAME_LEN];
    const char *part; /* between the name and the number of a partition: "p" or "" */
    bool mortal; /* this domain may end for its sake: its next life does again what was under way */
    bool answered;     /* something of a guest's, in this life */
    uint8_t *blamed;   /* kept: a life ended for its silence, and it has answered nothing since */
    bool silent;       /* it does not answer any more, and this domain is to end */
    uint32_t late;     /* times that an interrupt was waited for in vain before serving */
    uint8_t *head;     /* what stands at its front, while its table is read; NULL: nothing */
    uint32_t head_len; /* bytes */
    struct gpt gpt;
};

static inline struct disk *disk_of(struct blk_disk *blk)
{
    return (struct disk *)blk;
}

/* One of the driver domain's kinds of hardware. */
struct disk_hardware {
    const char *what;
    bool (*matches)(const struct pci_function *f);
    /* Starts the function. 0, or an error after a line in the log; *disk is then NULL. */
    int (*open)(const struct pci_function *f, const char *name, struct disk **disk);
    const char *prefix, *suffix; /* of a disk's name, around its number among its kind, or letter */
    bool letters;
    const char *part; /* see struct disk */
};

extern const struct disk_hardware nvme_hardware;
extern const struct disk_hardware virtio_blk_hardware;

/*
 * A device has been silent for too long: whether this domain ends for it, or else
 * the I/O fails. One for which the last life ended, and that has answered nothing
 * since, is broken.
 */
bool disk_ends_us(struct disk *disk, uint32_t commands);

/* It answers; of importance once it serves. */
void disk_answers(struct disk *disk);

/*
 * Reads what stands at its front with one I/O, if it can: from now on
 * disk_read_blocks has that at hand, until it is forgotten.
 */
void disk_head_read(struct disk *disk);
void disk_head_forget(struct disk *disk);

/* Does one I/O and waits for it, with nothing else going on. 0, or -XEN_EIO. */
int disk_transfer(struct disk *disk, enum blk_op op, uint64_t sector, void *page, uint32_t len);

#endif
