/*
 * A domain with a kernel that is not ours and PCI functions, on a host without
 * an IOMMU: its kernel tells devices its own frame numbers, so they must be the
 * machine's. docs/decisions/0009 says why so.
 */
#ifndef BUILD_EXACT_H
#define BUILD_EXACT_H

#include "layout.h"

#include <stdbool.h>

#include <abi/event.h>

#include <config/config.h>

bool exact_is_needed(const struct domain_config *config);

/*
 * Takes request->memory bytes of RAM where the machine has them free, the first
 * MiB apart, and enters the pieces into the request. -ENOSPC: the kernel's own
 * place is not free; -ENOMEM: there is not enough.
 */
/* The first MiB is beside what was asked for, and the last piece is a whole one. */
#define EXACT_MORE 0x300000u
int exact_take(domid_t domid, struct layout_request *request) __attribute__((warn_unused_result));

/* The command line with what such a kernel must be told; to be freed. NULL: no memory. */
char *exact_cmdline(const char *cmdline) __attribute__((warn_unused_result));

#endif
