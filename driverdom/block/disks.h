/* All disks of this domain, and the names that guests' XML may use for them and their partitions.
 */
#ifndef DISKS_H
#define DISKS_H

#include "disk.h"

#define DISKS_MAX     16u
#define DISKS_WHY_LEN 512u

struct disks {
    bool mortal; /* see struct disk */
    uint32_t count;
    struct disk *disks[DISKS_MAX];
};

/*
 * Takes every function that a driver of ours matches and starts it: those that
 * the words "pci=BB:SS.F" of the command line name, in that order, or without
 * such a word all of bus 0. Reads the partition tables. What does not work is
 * logged and left out. A byte for each is kept for this domain's next life.
 */
void disks_open(struct disks *d, uint8_t kept[DISKS_MAX], int argc, char **argv);

/*
 * What a name means: /dev/NAME, /dev/NAME of a partition, or
 * /dev/disk/by-partlabel/LABEL. 0, or -XEN_ENOENT with one line in why that says
 * what is wrong and what there is instead.
 */
int disks_find(const struct disks *d, const char *name, struct blk_volume *volume, char *why,
               size_t why_len);

/* Looks for finished I/O on all of them; tells all of what was submitted. */
bool disks_poll(struct disks *d);
void disks_kick(struct disks *d);

/* One of them is silent, and this domain is to end. */
bool disks_are_silent(const struct disks *d);

/* Does what is due now; when there will be something again. */
uint64_t disks_tick(struct disks *d);

#endif
