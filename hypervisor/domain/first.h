/* Builds the control domain from the bundle: the only domain that the core builds itself. */
#pragma once

#include <stdbool.h>

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

/* Lives of the control domain. */
struct first_lives {
    unsigned ended;
    uint8_t code;      /* SHUTDOWN_* of the last that did */
    volatile bool due; /* the next is to begin */
};

extern struct first_lives first_lives;

struct domain;

/*
 * It has stopped for this reason: whether first_again is to begin another life
 * instead of the host's end.
 */
MUST_USE bool first_may_return(const struct domain *d, uint8_t code);

/* Begins the next life in place, if one is due. Its vCPU runs nowhere. */
void first_again(void);
