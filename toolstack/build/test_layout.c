/* Where things go in a domain: nothing overlaps, and the map tells the truth. */
#include "layout.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <check.h>

#define MIB (1ull << 20)

static bool is_apart(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a + a_len <= b || b + b_len <= a;
}

static bool is_ram(const struct layout *l, uint64_t at, uint64_t len)
{
    for (unsigned i = 0; i < l->ram_count; i++)
        if (at >= l->ram[i].start && at + len <= l->ram[i].end)
            return true;
    return false;
}

/* Everything that must hold for any layout. */
static void check_places(const struct layout_request *r, const struct layout *l)
{
    uint64_t block_len = l->cmdline + r->cmdline_len + 1 - l->block;
    uint64_t kernel_len = r->kernel_end - r->kernel_start;

    uint64_t sum = 0;

    for (unsigned i = 0; i < l->ram_count; i++)
        sum += l->ram[i].end - l->ram[i].start;
    EXPECT(sum == r->memory);
    EXPECT(l->block % PAGE_SIZE == 0 && l->initrd % PAGE_SIZE == 0);
    EXPECT(is_ram(l, l->block, block_len) && l->block + block_len <= 0x40000000);
    EXPECT(is_ram(l, r->kernel_start, kernel_len));
    EXPECT(is_ram(l, l->initrd, r->initrd_len) && l->initrd + r->initrd_len <= LAYOUT_LOW_END);
    EXPECT(is_apart(l->block, block_len, r->kernel_start, kernel_len));
    EXPECT(is_apart(l->initrd, r->initrd_len, r->kernel_start, kernel_len));
    EXPECT(is_apart(l->block, block_len, l->initrd, r->initrd_len));
}

TEST(sizes_of_all_kinds)
{
    static const uint64_t memories[] = {8 * MIB, 128 * MIB, 2048 * MIB, 2049 * MIB, 8192 * MIB};
    static const uint64_t kernels[] = {0, 0x8000, 0x100000, 0x200000};
    static const uint64_t initrds[] = {0, 1, 4096, 3 * MIB + 5};
    static const size_t lines[] = {0, 100, 600000};

    for (unsigned m = 0; m < 5; m++) {
        for (unsigned i = 0; i < 4 * 4 * 3; i++) {
            struct layout_request r = {.memory = memories[m],
                                       .kernel_start = kernels[i % 4],
                                       .kernel_end = kernels[i % 4] + 0x9123,
                                       .initrd_len = initrds[i / 4 % 4],
                                       .cmdline_len = lines[i / 16]};
            struct layout l;
            const char *why = NULL;

            EXPECT(layout_find(&r, &l, &why) == 0);
            EXPECT(why == NULL);
            check_places(&r, &l);
        }
    }
}

TEST(what_does_not_fit)
{
    struct layout_request r = {.memory = 16 * MIB, .kernel_start = MIB, .kernel_end = 17 * MIB};
    struct layout l;
    const char *why;

    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "kernel"));
    r.kernel_end = 8 * MIB;
    r.initrd_len = 8 * MIB;
    EXPECT(layout_find(&r, &l, &why) == 0);
    r.initrd_len++;
    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "initrd"));
    r.initrd_len = UINT64_MAX;
    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "initrd"));
    r.initrd_len = 8 * MIB;
    r.cmdline_len = MIB;
    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "command line"));
    r.initrd_len = 0;
    EXPECT(layout_find(&r, &l, &why) == 0);
    check_places(&r, &l);
    /* A kernel high up leaves no room for a long command line below 1 GiB. */
    r = (struct layout_request){
        .memory = 4096 * MIB, .kernel_start = 0x10000, .kernel_end = 1024 * MIB};
    EXPECT(layout_find(&r, &l, &why) < 0);
}

TEST(ram_with_holes)
{
    struct layout_request r = {.memory = 65 * MIB,
                               .ram = {{0, MIB}, {16 * MIB, 64 * MIB}, {100 * MIB, 116 * MIB}},
                               .ram_count = 3,
                               .kernel_start = 16 * MIB,
                               .kernel_end = 60 * MIB,
                               .initrd_len = 10 * MIB,
                               .cmdline_len = 50};
    struct layout_block b;
    struct layout l;
    const char *why;

    EXPECT(layout_find(&r, &l, &why) == 0);
    check_places(&r, &l);
    EXPECT(l.initrd == 106 * MIB && l.block < MIB);
    r.cmdline_len = MIB; /* not in conventional memory, but behind the kernel */
    EXPECT(layout_find(&r, &l, &why) == 0);
    check_places(&r, &l);
    layout_fill(&r, &l, LAYOUT_ACPI_BASE, &b);
    EXPECT(b.info.memmap_entries == 5 && b.map[2].addr == 100 * MIB && b.map[2].size == 16 * MIB);
    r.initrd_len = 17 * MIB;
    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "initrd"));
    r.initrd_len = 4 * MIB;
    r.ram[1].start += MIB;
    EXPECT(layout_find(&r, &l, &why) < 0 && strstr(why, "kernel"));
}

TEST(start_block)
{
    struct layout_request r = {.memory = 4096 * MIB,
                               .kernel_start = 0x1000000,
                               .kernel_end = 0x3000000,
                               .initrd_len = 12345,
                               .cmdline_len = 7,
                               .has_devices = 1};
    struct layout_block b;
    struct layout l;
    const char *why;

    EXPECT(layout_find(&r, &l, &why) == 0);
    layout_fill(&r, &l, LAYOUT_ACPI_BASE, &b);
    EXPECT(b.info.magic == XEN_HVM_START_MAGIC_VALUE && b.info.version == 1);
    EXPECT(b.info.flags == 0 && b.info.nr_modules == 1);
    EXPECT(b.info.modlist_paddr == l.block + offsetof(struct layout_block, module));
    EXPECT(b.info.cmdline_paddr == l.cmdline && b.info.rsdp_paddr == LAYOUT_ACPI_BASE);
    EXPECT(b.module.paddr == l.initrd && b.module.size == 12345);
    EXPECT(b.info.memmap_entries == 5);
    EXPECT(b.map[0].addr == 0 && b.map[0].size == LAYOUT_LOW_END);
    EXPECT(b.map[4].addr == LAYOUT_HIGH_RAM && b.map[4].size == 2048 * MIB);
    for (unsigned i = 1; i < b.info.memmap_entries; i++)
        EXPECT(b.map[i - 1].addr + b.map[i - 1].size <= b.map[i].addr);
    r.has_devices = 0;
    r.initrd_len = 0;
    r.memory = 64 * MIB;
    EXPECT(layout_find(&r, &l, &why) == 0);
    layout_fill(&r, &l, LAYOUT_ACPI_BASE, &b);
    EXPECT(b.info.nr_modules == 0 && b.info.modlist_paddr == 0);
    EXPECT(b.info.memmap_entries == 3);
}
