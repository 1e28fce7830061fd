/* Where everything goes in a new domain's guest-physical memory, and what its memory map says. */
#ifndef BUILD_LAYOUT_H
#define BUILD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <abi/start.h>

struct layout_request {
    uint64_t memory;       /* bytes of RAM, whole frames */
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
#define LAYOUT_MAP_MAX 8
struct layout_block {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[LAYOUT_MAP_MAX];
};

struct layout {
    uint64_t low_len;  /* RAM from 0 */
    uint64_t high_len; /* RAM from LAYOUT_HIGH_RAM */
    uint64_t block;    /* where the start block goes; the command line follows it */
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
