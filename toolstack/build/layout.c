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

static void spread(const struct layout_request *request, struct layout *layout)
{
    uint64_t low = request->memory < LAYOUT_LOW_END ? request->memory : LAYOUT_LOW_END;

    *layout = (struct layout){.ram_count = request->ram_count};
    for (unsigned i = 0; i < request->ram_count; i++)
        layout->ram[i] = request->ram[i];
    if (request->ram_count > 0)
        return;
    layout->ram[layout->ram_count++] = (struct layout_range){0, low};
    if (request->memory > low)
        layout->ram[layout->ram_count++] =
            (struct layout_range){LAYOUT_HIGH_RAM, LAYOUT_HIGH_RAM + request->memory - low};
}

static const struct layout_range *find_kernel(const struct layout_request *request,
                                              const struct layout *layout)
{
    for (unsigned i = 0; i < layout->ram_count; i++)
        if (request->kernel_start >= layout->ram[i].start &&
            request->kernel_end <= layout->ram[i].end)
            return &layout->ram[i];
    return NULL;
}

/* To the top of low RAM, as far from a growing kernel as can be. */
static int find_initrd(const struct layout_request *request, struct layout *layout)
{
    uint64_t len = page_up(request->initrd_len);

    if (len < request->initrd_len)
        return -ENOSPC;
    for (unsigned i = layout->ram_count; i-- > 0;) {
        struct layout_range r = layout->ram[i];

        if (r.start < request->kernel_end)
            r.start = request->kernel_end;
        if (r.end <= LAYOUT_LOW_END && r.start <= r.end && r.end - r.start >= len) {
            layout->initrd = r.end - len;
            return 0;
        }
    }
    return -ENOSPC;
}

int layout_find(const struct layout_request *request, struct layout *layout, const char **why)
{
    const struct layout_range *kernel;
    uint64_t limit;

    spread(request, layout);
    kernel = find_kernel(request, layout);
    if (!kernel) {
        *why = "the kernel does not fit";
        return -ENOSPC;
    }
    if (find_initrd(request, layout) != 0) {
        *why = "the initrd does not fit beside the kernel";
        return -ENOSPC;
    }
    limit = layout->initrd < kernel->end ? layout->initrd : kernel->end;
    if (find_block(request, limit, layout) != 0) {
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

static void add_ram(struct layout_block *block, const struct layout *layout, uint64_t from,
                    uint64_t to)
{
    for (unsigned i = 0; i < layout->ram_count; i++) {
        struct layout_range r = layout->ram[i];

        if (r.start >= from && r.start < to)
            add_range(block, r.start, r.end - r.start, XEN_HVM_MEMMAP_TYPE_RAM);
    }
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
    add_ram(block, layout, 0, LAYOUT_LOW_END);
    /* Linux believes in an ECAM only if the memory map reserves it. */
    if (request->has_devices)
        add_range(block, LAYOUT_ECAM_BASE, LAYOUT_ECAM_END - LAYOUT_ECAM_BASE,
                  XEN_HVM_MEMMAP_TYPE_RESERVED);
    add_range(block, LAYOUT_ACPI_BASE, LAYOUT_ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI);
    add_range(block, LAYOUT_SPECIAL_BASE, LAYOUT_SPECIAL_SIZE, XEN_HVM_MEMMAP_TYPE_RESERVED);
    add_ram(block, layout, LAYOUT_HIGH_RAM, UINT64_MAX);
}
