/* The bundle: the one archive (cpio newc) that the loader gave us beside the core. */
#ifndef BOOT_BUNDLE_H
#define BOOT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "util/check.h"

struct bundle_file {
    uint64_t offset; /* in the bundle */
    uint64_t len;
};

/*
 * Finds a file by its path. -XEN_ENOENT: not there, -XEN_EINVAL: the archive is
 * cut off or damaged before it; both with a logged line.
 */
MUST_USE int bundle_find(const char *path, struct bundle_file *file);

/* Bytes of a file; the caller stays inside it (CHECK). */
void bundle_read(void *dst, const struct bundle_file *file, uint64_t offset, size_t len);

#endif
