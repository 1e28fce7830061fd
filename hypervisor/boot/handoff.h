/* What the boot loader told us, copied out of its memory. */
#pragma once

#include "mm/frame.h"

#define HANDOFF_RANGES 512u

struct handoff {
    const char *protocol;
    struct memory_range range[HANDOFF_RANGES]; /* in bytes, as reported: may overlap */
    bool is_ram[HANDOFF_RANGES];
    unsigned range_count;
    bool overflow;              /* more ranges than that: the rest is not used */
    struct memory_range module; /* empty: none */
    unsigned module_count;
    uint8_t rsdp[36]; /* the ACPI root pointer */
    bool has_rsdp;
    char cmdline[2048];
};

extern struct handoff handoff;

/* Reads it all through the first page tables; negative if the protocol is not known. */
MUST_USE int handoff_collect(uint32_t protocol, uint64_t info);
