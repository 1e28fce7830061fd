/*
 * Rights by address. The table of regions says who may do what; everything it
 * does not name is unmapped. boot.S's tables map 4 GiB in pages of 2 MiB: they
 * are edited in place, and a page of 2 MiB in which rights differ is split.
 */
#include <rt/memory.h>

#include <abi/layout.h>

#include "cpu.h"
#include "internal.h"
#include "layout.h"

#define PRESENT    1ull
#define WRITABLE   2ull
#define UNCACHED   0x18ull /* PWT, PCD */
#define LARGE      0x80ull
#define NO_EXECUTE (1ull << 63)

#define READ   (PRESENT | NO_EXECUTE)
#define WRITE  (READ | WRITABLE)
#define CODE   PRESENT
#define DEVICE (WRITE | UNCACHED)

#define LARGE_SIZE  0x200000ull
#define REGIONS_MAX 48

struct region {
    uint64_t start;
    uint64_t end;
    uint64_t rights;
};

extern uint64_t boot_pd[2048];

static struct region regions[REGIONS_MAX];
static size_t region_count;

static void add(uint64_t start, uint64_t end, uint64_t rights)
{
    if (region_count == REGIONS_MAX)
        die("memory map too long");
    regions[region_count++] = (struct region){start & ~(uint64_t)PAGE_MASK,
                                              (end + PAGE_MASK) & ~(uint64_t)PAGE_MASK, rights};
}

static uint64_t of(const char *symbol)
{
    return (uint64_t)(uintptr_t)symbol;
}

static void add_guard(const char *stack_top, uint64_t stack_len)
{
    add(of(stack_top) - stack_len - PAGE_SIZE, of(stack_top) - stack_len, 0);
}

/* What comes later wins. */
static void add_all(void)
{
    for (size_t i = 0; i < start_info.ram_count; i++)
        add(start_info.ram[i].start, start_info.ram[i].end, WRITE);
    add(LAYOUT_LOW_END, LAYOUT_BAR_BASE, WRITE); /* space for grants */
    add(LAYOUT_BAR_BASE, LAYOUT_BAR_END, DEVICE);
    add(LAYOUT_ECAM_BASE, LAYOUT_ECAM_END, DEVICE);
    add(LAYOUT_SPECIAL_BASE, LAYOUT_SPECIAL_BASE + LAYOUT_SPECIAL_SIZE, WRITE);
    if (start_info.module.end > start_info.module.start)
        add(start_info.module.start, start_info.module.end, READ);
    add(of(image_start), of(image_text), READ);
    add(of(image_text), of(image_data), CODE);
    add(of(image_data), of(image_end), WRITE);
    add_guard(floor_stack_top, FLOOR_STACK);
    add_guard(trap_stack_top, TRAP_STACK);
    add_guard(double_stack_top, TRAP_STACK);
    add(of(main_guard), of(main_stack), 0);
    add(0, PAGE_SIZE, 0); /* null pointers */
}

static uint64_t rights_at(uint64_t address)
{
    for (size_t i = region_count; i > 0; i--)
        if (address >= regions[i - 1].start && address < regions[i - 1].end)
            return regions[i - 1].rights;
    return 0;
}

static bool is_border(uint64_t address, uint64_t chunk)
{
    return address > chunk && address < chunk + LARGE_SIZE;
}

static bool is_mixed(uint64_t chunk)
{
    for (size_t i = 0; i < region_count; i++)
        if (is_border(regions[i].start, chunk) || is_border(regions[i].end, chunk))
            return true;
    return false;
}

static uint64_t entry(uint64_t address, uint64_t size_bit)
{
    uint64_t rights = rights_at(address);

    return rights == 0 ? 0 : address | rights | size_bit;
}

void paging_init(void)
{
    add_all();
    for (uint64_t i = 0; i < 2048; i++) {
        uint64_t chunk = i * LARGE_SIZE;

        if (!is_mixed(chunk)) {
            boot_pd[i] = entry(chunk, LARGE);
            continue;
        }
        uint64_t *table = memory_pages_alloc(1);

        if (!table)
            die("no memory for page tables");
        for (uint64_t k = 0; k < 512; k++)
            table[k] = entry(chunk + k * PAGE_SIZE, 0);
        boot_pd[i] = of((const char *)table) | PRESENT | WRITABLE;
    }
    cr3_write(cr3_read());
}
