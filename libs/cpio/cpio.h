/*
 * Files in a cpio archive of format "newc", read where they lie. The archive is
 * foreign bytes: every length is checked against its end.
 */
#ifndef CPIO_H
#define CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio_file {
    const char *name; /* as in the archive, NUL-terminated */
    const uint8_t *data;
    size_t len;
    bool is_directory;
};

/*
 * Walks the archive: *offset is 0 for the first entry and moved behind each.
 * False at the end, or where the archive is broken.
 */
bool cpio_next(const void *archive, size_t len, size_t *offset, struct cpio_file *file);

/*
 * A file or directory by its path. A leading "/" or "./" counts for nothing,
 * in the path and in the archive; otherwise names must be equal.
 */
bool cpio_find(const void *archive, size_t len, const char *path, struct cpio_file *file);

#endif
