/* Builds the control domain from the bundle: the only domain that the core builds itself. */
#pragma once

#include <abi/addr.h>

#include "util/check.h"

/* What the loader gave us, after the hand-off copied it: all of it outside the core's pool. */
struct boot_options {
    hpa_t bundle;         /* page-aligned; frames are FRAME_BUNDLE */
    uint64_t bundle_len;  /* bytes; 0: none */
    uint32_t control_mib; /* RAM of the control domain */
    uint32_t headless;    /* or 0 */
    uint32_t debug_exit;  /* I/O port, 0: none */
    uint32_t cpus;        /* use at most; 0: all */
    char control_cmdline[1024];
};

extern struct boot_options boot_options;

/* Creates, fills and starts domain 0. Logs the reason and returns negative if it cannot. */
MUST_USE int first_create(void);
