/* What stock xen-blkback leaves to a script: opening a disk's device and saying so in the store. */
#ifndef LINUX_VBD_H
#define LINUX_VBD_H

#include "bus.h"

/* Looks at every disk and opens those whose device has come. sys is where sysfs is mounted. */
void vbd_scan(struct bus *b, const char *sys);

#endif
