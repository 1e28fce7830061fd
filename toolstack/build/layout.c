/* Places a kernel, its initrd and its start block in guest-physical memory; pure arithmetic. */
#include "layout.h"

#include <errno.h>
#include <stdbool.h>

#include <abi/addr.h>
#include <abi/layout.h>

/* A PVH kernel's first page tables reach so far; the start block must lie below. */
#define START_LIMIT 0x40000000ull

/*
 * The start block goes into conventional memory, where a kernel that is linked
 * at 1 MiB or higher never is: above what real-mode code likes to use, below
 * the legacy hole, which Linux takes as reserved.
 */
#define BLOCK_BASE 0x10000ull
#define BLOCK_END  0x90000ull

static uint64_t page_up(uint64_t v)
{
    return (v + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

static bool is_apart(uint64_t start, uint64_t end, const struct layout_request *request)
{
    return end <= request->kernel_start || start >= request->kernel_end;
}

/* In conventional memory if the kernel leaves it free, else right after the kernel. */
static int find_block(const struct layout_request *request, uint64_t limit, struct layout *layout)
{
    uint64_t len = page_up(sizeof(struct layout_block) + request->cmdline_len + 1);
    uint64_t at = BLOCK_BASE;

    if (limit > START_LIMIT)
        limit = START_LIMIT;
    if (len > BLOCK_END - BLOCK_BASE || !is_apart(at, at + len, request))
        at = page_up(request->kernel_end);
    if (at > limit || len > limit - at)
        return -ENOSPC;
    layout->block = at;
    layout->cmdline = at + sizeof(struct layout_block);
    return 0;
}

int layout_find(const struct layout_request *request, struct layout *layout, const char **why)
{
    uint64_t low = request->memory < LAYOUT_LOW_END ? request->memory : LAYOUT_LOW_END;
    uint64_t initrd_len = page_up(request->initrd_len);

    *layout = (struct layout){.low_len = low, .high_len = request->memory - low};
    if (request->kernel_end > low) {
        *why = "the kernel does not fit";
        return -ENOSPC;
    }
    /* The initrd goes to the top of low RAM, as far from a growing kernel as can be. */
    if (request->initrd_len > low || initrd_len > low ||
        !is_apart(low - initrd_len, low, request) || low - initrd_len < request->kernel_end) {
        *why = "the initrd does not fit beside the kernel";
        return -ENOSPC;
    }
    layout->initrd = low - initrd_len;
    if (find_block(request, layout->initrd, layout) != 0) {
        *why = "the command line does not fit";
        return -ENOSPC;
    }
    return 0;
}

static void add_range(struct layout_block *block, uint64_t addr, uint64_t len, uint32_t type)
{
    block->map[block->info.memmap_entries++] =
        (struct hvm_memmap_table_entry){.addr = addr, .size = len, .type = type};
}

void layout_fill(const struct layout_request *request, const struct layout *layout, uint64_t rsdp,
                 struct layout_block *block)
{
    *block = (struct layout_block){
        .info = {.magic = XEN_HVM_START_MAGIC_VALUE,
                 .version = 1,
                 .cmdline_paddr = layout->cmdline,
                 .rsdp_paddr = rsdp,
                 .memmap_paddr = layout->block + offsetof(struct layout_block, map)},
    };
    if (request->initrd_len > 0) {
        block->info.nr_modules = 1;
        block->info.modlist_paddr = layout->block + offsetof(struct layout_block, module);
        block->module.paddr = layout->initrd;
        block->module.size = request->initrd_len;
    }
    add_range(block, 0, layout->low_len, XEN_HVM_MEMMAP_TYPE_RAM);
    /* Linux believes in an ECAM only if the memory map reserves it. */
    if (request->has_devices)
        add_range(block, LAYOUT_ECAM_BASE, LAYOUT_ECAM_END - LAYOUT_ECAM_BASE,
                  XEN_HVM_MEMMAP_TYPE_RESERVED);
    add_range(block, LAYOUT_ACPI_BASE, LAYOUT_ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI);
    add_range(block, LAYOUT_SPECIAL_BASE, LAYOUT_SPECIAL_SIZE, XEN_HVM_MEMMAP_TYPE_RESERVED);
    if (layout->high_len > 0)
        add_range(block, LAYOUT_HIGH_RAM, layout->high_len, XEN_HVM_MEMMAP_TYPE_RAM);
}
