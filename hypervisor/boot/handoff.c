/*
 * The hand-off: from PVH start info or multiboot2 tags to one structure of ours.
 * Reads the loader's memory one to one through the first page tables.
 */
#include "boot/handoff.h"

#include <abi/start.h>

#include <arch/acpi.h>

#include "util/string.h"

#define MULTIBOOT_PROTOCOL 0x36d76289u
#define RSDP_SEARCH_START  0xe0000u
#define RSDP_SEARCH_END    0x100000u

/* Tags of multiboot2 that matter here (Multiboot2 specification 3.6). */
enum {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_RSDP_OLD = 14,
    TAG_RSDP_NEW = 15
};

struct tag {
    uint32_t type, size;
};

struct handoff handoff;

/* The first page tables map low memory one to one. */
static const void *low(uint64_t address)
{
    return (const void *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr) */
}

static void range_add(uint64_t start, uint64_t len, bool ram)
{
    struct handoff *h = &handoff;

    if (len == 0)
        return;
    if (h->range_count == HANDOFF_RANGES) {
        h->overflow = true;
        return;
    }
    h->range[h->range_count] =
        (struct memory_range){start, len > UINT64_MAX - start ? UINT64_MAX : start + len};
    h->is_ram[h->range_count++] = ram;
}

static void cmdline_copy(const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    if (len >= sizeof(handoff.cmdline))
        len = sizeof(handoff.cmdline) - 1;
    memcpy(handoff.cmdline, text, len);
    handoff.cmdline[len] = '\0';
}

static void rsdp_copy(const void *rsdp, size_t len)
{
    memset(handoff.rsdp, 0, sizeof(handoff.rsdp));
    memcpy(handoff.rsdp, rsdp, len < sizeof(handoff.rsdp) ? len : sizeof(handoff.rsdp));
    handoff.has_rsdp = true;
}

/* Where a BIOS leaves it, for loaders that do not tell. */
static void rsdp_search(void)
{
    for (uint64_t at = RSDP_SEARCH_START; at < RSDP_SEARCH_END && !handoff.has_rsdp; at += 16)
        if (memcmp(low(at), "RSD PTR ", 8) == 0)
            rsdp_copy(low(at), sizeof(handoff.rsdp));
}

static void module_add(uint64_t start, uint64_t end)
{
    if (handoff.module_count++ == 0)
        handoff.module = (struct memory_range){start, end};
    else
        range_add(start, end - start, false); /* not ours to read, nor to overwrite */
}

static void pvh_collect(const struct hvm_start_info *info)
{
    const struct hvm_modlist_entry *modules = low(info->modlist_paddr);
    const struct hvm_memmap_table_entry *map = low(info->memmap_paddr);

    handoff.protocol = "PVH";
    if (info->cmdline_paddr)
        cmdline_copy(low(info->cmdline_paddr), sizeof(handoff.cmdline));
    for (uint32_t i = 0; i < info->nr_modules; i++)
        module_add(modules[i].paddr, modules[i].paddr + modules[i].size);
    if (info->version >= 1)
        for (uint32_t i = 0; i < info->memmap_entries; i++)
            range_add(map[i].addr, map[i].size, map[i].type == XEN_HVM_MEMMAP_TYPE_RAM);
    if (info->rsdp_paddr)
        rsdp_copy(low(info->rsdp_paddr), sizeof(handoff.rsdp));
}

/* Entries of address, length, type, behind their size and version. */
static void memory_map_add(const char *body, size_t len)
{
    size_t step = len < 8 ? 0 : acpi_field(body, 0, 4);

    for (size_t at = 8; step >= 24 && at + 24 <= len; at += step)
        range_add(acpi_field(body, at, 8), acpi_field(body, at + 8, 8),
                  acpi_field(body, at + 16, 4) == 1);
}

static void tag_collect(const struct tag *tag)
{
    const char *body = (const char *)(tag + 1);
    size_t len = tag->size - sizeof(*tag);

    switch (tag->type) {
    case TAG_CMDLINE: cmdline_copy(body, len); break;
    case TAG_MODULE: module_add(acpi_field(body, 0, 4), acpi_field(body, 4, 4)); break;
    /* GRUB makes it under UEFI as well, from the firmware's own map. */
    case TAG_MEMORY_MAP: memory_map_add(body, len); break;
    case TAG_RSDP_OLD:
        if (!handoff.has_rsdp)
            rsdp_copy(body, len);
        break;
    case TAG_RSDP_NEW: rsdp_copy(body, len); break;
    default: break;
    }
}

static void multiboot_collect(const char *info)
{
    const struct tag *tag = (const void *)(info + 8);
    uint32_t total;

    memcpy(&total, info, sizeof(total));
    handoff.protocol = "multiboot2";
    while ((const char *)tag + sizeof(*tag) <= info + total && tag->type != TAG_END &&
           tag->size >= sizeof(*tag)) {
        tag_collect(tag);
        tag = (const void *)((const char *)tag + ((tag->size + 7) & ~7u));
    }
}

int handoff_collect(uint32_t protocol, uint64_t info)
{
    if (protocol == XEN_HVM_START_MAGIC_VALUE)
        pvh_collect(low(info));
    else if (protocol == MULTIBOOT_PROTOCOL)
        multiboot_collect(low(info));
    else
        return -XEN_EINVAL;
    if (!handoff.has_rsdp)
        rsdp_search();
    return 0;
}
