/* The bundle: a cpio archive, read where the control domain has it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/check.h"

struct domain;

/* Bytes at an offset of the bundle; -XEN_EINVAL past its end. */
MUST_USE int bundle_read(struct domain *d, uint64_t offset, void *buf, size_t len);

/* Where a file's data lies. -XEN_ENOENT; -XEN_EINVAL if the archive is broken before it. */
MUST_USE int bundle_find(struct domain *d, const char *path, uint64_t *offset, uint64_t *len);
