/* Files of the host's description, mapped: in the control domain that copies nothing. */
#ifndef BUILD_MAPPED_H
#define BUILD_MAPPED_H

#include <stddef.h>

#include <config/config.h>

struct mapped {
    const void *bytes;
    size_t len;
};

/* Returns zero or a negative error number; then *file is empty. An empty file maps too. */
int mapped_open(const struct config_root *root, const char *path, struct mapped *file)
    __attribute__((warn_unused_result));
void mapped_close(struct mapped *file);

#endif
