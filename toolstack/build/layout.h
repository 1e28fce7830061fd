/* Where everything goes in a new domain's guest-physical memory, and what its memory map says. */
#ifndef BUILD_LAYOUT_H
#define BUILD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <abi/start.h>

/* Pieces of RAM: two as domains have it, more if it had to be taken where it was free. */
#define LAYOUT_RAM_MAX 16
struct layout_range {
    uint64_t start, end;
};

struct layout_request {
    uint64_t memory; /* bytes of RAM, whole frames */
    /* Where RAM is, in order; none: from 0, what does not fit below from LAYOUT_HIGH_RAM. */
    struct layout_range ram[LAYOUT_RAM_MAX];
    unsigned ram_count;
    uint64_t kernel_start; /* what the kernel's segments take */
    uint64_t kernel_end;
    uint64_t initrd_len; /* 0: none */
    size_t cmdline_len;  /* without the closing zero */
    int has_devices;     /* owns PCI functions */
};

/*
 * The start block: start info, module list, memory map and command line in one
 * piece, which is written to the domain by one copy.
 */
#define LAYOUT_MAP_MAX (LAYOUT_RAM_MAX + 4)
struct layout_block {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[LAYOUT_MAP_MAX];
};

struct layout {
    struct layout_range ram[LAYOUT_RAM_MAX];
    unsigned ram_count;
    uint64_t block; /* where the start block goes; the command line follows it */
    uint64_t cmdline;
    uint64_t initrd;
};

/* Finds the places. Returns zero; or -ENOSPC, and *why says what does not fit. */
int layout_find(const struct layout_request *request, struct layout *layout, const char **why)
    __attribute__((warn_unused_result));

/* Fills the start block for these places. */
void layout_fill(const struct layout_request *request, const struct layout *layout, uint64_t rsdp,
                 struct layout_block *block);

#endif
