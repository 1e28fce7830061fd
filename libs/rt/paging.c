/*
 * Rights by address. The table of regions says who may do what; everything it
 * does not name is unmapped. The tables are painted region by region, in pages of
 * 2 MiB, of which one in which rights differ is split; then they take the place of
 * boot.S's, which map 4 GiB as they are.
 */
#include <rt/fault.h>
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

#define ADDRESS 0x000ffffffffff000ull

#define LARGE_SIZE  0x200000ull
#define ENTRIES     512ull
#define DIRECTORIES 4u /* of 1 GiB each */
#define REGIONS_MAX 48

struct region {
    uint64_t start;
    uint64_t end;
    uint64_t rights;
};

extern uint64_t boot_pdpt[ENTRIES];

static uint64_t page_directory[DIRECTORIES * ENTRIES] __attribute__((aligned(PAGE_SIZE)));
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

static uint64_t *at(uint64_t gpa)
{
    return (uint64_t *)(uintptr_t)gpa; /* NOLINT(performance-no-int-to-ptr) */
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
    add(LAYOUT_LARGE_SURVIVOR_BASE, LAYOUT_LARGE_SURVIVOR_BASE + LAYOUT_LARGE_SURVIVOR_SIZE, WRITE);
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

/* The table of a page of 2 MiB, which is split if it was whole. */
static uint64_t *table_of(uint64_t *large)
{
    uint64_t *table;

    if (*large != 0 && (*large & LARGE) == 0)
        return at(*large & ADDRESS);
    table = memory_pages_alloc(1);
    if (!table)
        die("no memory for page tables");
    for (uint64_t k = 0; *large != 0 && k < ENTRIES; k++)
        table[k] = (*large & ~LARGE) + k * PAGE_SIZE;
    *large = of((const char *)table) | PRESENT | WRITABLE;
    return table;
}

static uint64_t entry(const struct region *r, uint64_t address, uint64_t size_bit)
{
    return r->rights == 0 ? 0 : address | r->rights | size_bit;
}

static void paint(const struct region *r)
{
    for (uint64_t a = r->start, end; a < r->end; a = end) {
        uint64_t *large = &page_directory[a / LARGE_SIZE];
        uint64_t *table;

        end = (a | (LARGE_SIZE - 1)) + 1;
        if (a % LARGE_SIZE == 0 && end <= r->end && (*large == 0 || (*large & LARGE) != 0)) {
            *large = entry(r, a, LARGE);
            continue;
        }
        if (end > r->end)
            end = r->end;
        table = table_of(large);
        for (; a < end; a += PAGE_SIZE)
            table[a / PAGE_SIZE % ENTRIES] = entry(r, a, 0);
    }
}

void paging_init(void)
{
    add_all();
    for (size_t i = 0; i < region_count; i++)
        paint(&regions[i]);
    for (size_t i = 0; i < DIRECTORIES; i++)
        boot_pdpt[i] = of((const char *)&page_directory[i * ENTRIES]) | PRESENT | WRITABLE;
    cr3_write(cr3_read());
}

/* ---- for fault injection ---------------------------------------------------------------- */

/* The entry that maps an address below 4 GiB, present or not. */
static uint64_t *leaf(uint64_t address)
{
    uint64_t *large = &page_directory[address / LARGE_SIZE];

    if (*large == 0 || (*large & LARGE) != 0)
        return large;

    uint64_t *table = at(*large & ADDRESS);

    return &table[address / PAGE_SIZE % ENTRIES];
}

bool paging_may_write(uint64_t address)
{
    return (*leaf(address) & (PRESENT | WRITABLE)) == (PRESENT | WRITABLE);
}

static void text_rights(uint64_t set, uint64_t clear)
{
    for (uint64_t a = of(image_text); a < of(image_data); a += PAGE_SIZE)
        *leaf(a) = (*leaf(a) | set) & ~clear;
    /* What was fetched before is forgotten with the translations. */
    cr3_write(cr3_read());
}

void *memory_text_open(size_t *len)
{
    text_rights(WRITABLE, 0);
    *len = (size_t)(image_data - image_text);
    return image_text;
}

void memory_text_close(void)
{
    text_rights(0, WRITABLE);
}
