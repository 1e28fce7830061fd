/* Block devices of this Linux by the names that a guest's description gives them. */
#ifndef LINUX_DEVICE_H
#define LINUX_DEVICE_H

#include <stdbool.h>

struct device {
    unsigned major, minor;
    char disk[64]; /* name of the whole disk */
    bool whole;
};

/*
 * /dev/NAME, or /dev/disk/by-partlabel/LABEL; sys is where sysfs is mounted. -ENOENT: not there
 * (yet); -EEXIST: several partitions have that label; -EINVAL: no such name can be.
 */
int device_find(const char *sys, const char *name, struct device *out)
    __attribute__((warn_unused_result));

/* Whether writing to one changes the other. */
bool device_overlaps(const struct device *a, const struct device *b);

#endif
