/* RAM by pages, empty address space, and the addresses that devices use. */
#include <rt/fault.h>
#include <rt/memory.h>
#include <rt/start.h>

#include <string.h>

#include <abi/layout.h>
#include <hcall.h>
#include <pages.h>

#include "internal.h"

/* Address space for grants: the first pages from LAYOUT_LOW_END on. */
#define SPACE_PAGES 32768u

static struct pages ram;
static struct pages space;
static uint64_t space_map[PAGES_WORDS(SPACE_PAGES)];
static uint64_t break_start;
static uint64_t break_end;
static bool used_up;

static void *at(uint64_t gpa)
{
    return (void *)(uintptr_t)gpa; /* NOLINT(performance-no-int-to-ptr) */
}

static uint64_t page_up(uint64_t v)
{
    return (v + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

static size_t page_of(uint64_t gpa)
{
    return (size_t)(gpa >> PAGE_SHIFT);
}

/* Takes what is free of a range: pieces of it may lie outside RAM. */
static void reserve(uint64_t start, uint64_t end)
{
    for (uint64_t gpa = start & ~(uint64_t)PAGE_MASK; gpa < end; gpa += PAGE_SIZE)
        (void)pages_take(&ram, page_of(gpa), 1);
}

void memory_init(void)
{
    uint64_t top = 0;
    uint64_t map = page_up((uint64_t)(uintptr_t)image_end);
    const struct range *module = &start_info.module;

    for (size_t i = 0; i < start_info.ram_count; i++)
        if (start_info.ram[i].end > top)
            top = start_info.ram[i].end;

    /* The bitmap lies behind the image, or behind the module if that is in the way. */
    uint64_t map_len = PAGES_WORDS(page_of(top)) * sizeof(uint64_t);

    if (map < module->end && map + map_len > module->start)
        map = page_up(module->end);
    if (map + map_len > top)
        die("too little memory");
    pages_init(&ram, at(map), page_of(top));
    for (size_t i = 0; i < start_info.ram_count; i++)
        (void)pages_free(&ram, page_of(start_info.ram[i].start),
                         page_of(start_info.ram[i].end - start_info.ram[i].start));
    reserve(0, PAGE_SIZE);
    reserve((uint64_t)(uintptr_t)image_start, (uint64_t)(uintptr_t)image_end);
    reserve(module->start, module->end);
    reserve(map, map + map_len);
    break_start = page_up(map + map_len);
    break_end = break_start;

    pages_init(&space, space_map, SPACE_PAGES);
    (void)pages_free(&space, 0, SPACE_PAGES);
}

bool memory_is_ram(uint64_t gpa)
{
    return page_of(gpa) < ram.count;
}

void *memory_buffers_alloc(size_t count)
{
    size_t first = pages_alloc(&ram, count);

    if (first == PAGES_NONE) {
        used_up = used_up || count == 1;
        return NULL;
    }
    return at((uint64_t)first << PAGE_SHIFT);
}

void *memory_pages_alloc(size_t count)
{
    void *pages = memory_buffers_alloc(count);

    return pages ? memset(pages, 0, count << PAGE_SHIFT) : NULL;
}

void memory_pages_free(void *pages, size_t count)
{
    if (count > 0 && !pages_free(&ram, memory_gfn(pages), count))
        die("pages freed that were not taken");
}

bool memory_is_used_up(void)
{
    return used_up;
}

/* The new end, or the old one if the way is blocked. */
uint64_t memory_break(uint64_t want)
{
    if (want < break_start)
        return break_end;

    uint64_t old_top = page_up(break_end);
    uint64_t new_top = page_up(want);

    if (new_top > old_top) {
        size_t count = page_of(new_top - old_top);

        if (!pages_take(&ram, page_of(old_top), count))
            return break_end;
        memset(at(old_top), 0, count << PAGE_SHIFT);
    } else if (new_top < old_top) {
        (void)pages_free(&ram, page_of(new_top), page_of(old_top - new_top));
    }
    break_end = want;
    return break_end;
}

void *memory_space_alloc(size_t count)
{
    size_t first = pages_alloc(&space, count);

    return first == PAGES_NONE ? NULL : at(LAYOUT_LOW_END + ((uint64_t)first << PAGE_SHIFT));
}

void memory_space_free(void *pages, size_t count)
{
    uint64_t gpa = (uint64_t)(uintptr_t)pages;

    if (count > 0 &&
        (gpa < LAYOUT_LOW_END || !pages_free(&space, page_of(gpa - LAYOUT_LOW_END), count)))
        die("address space freed that was not taken");
}

void *memory_survivor(size_t len)
{
    if (len <= LAYOUT_SURVIVOR_SIZE)
        return at(LAYOUT_SURVIVOR_BASE);
    return len <= LAYOUT_LARGE_SURVIVOR_SIZE ? at(LAYOUT_LARGE_SURVIVOR_BASE) : NULL;
}

volatile void *memory_device(uint64_t gpa, size_t len)
{
    if (gpa < LAYOUT_BAR_BASE || gpa >= LAYOUT_ECAM_END || len > LAYOUT_ECAM_END - gpa)
        return NULL;
    return at(gpa);
}

/* One call for all of RAM, when the first device address is asked for. */
static const uint64_t *device_frames(void)
{
    static uint64_t *frames;

    if (frames)
        return frames;
    frames = memory_pages_alloc(page_of(page_up(ram.count * sizeof(*frames))));
    if (!frames)
        die("no memory for device addresses");

    struct bulkhead_dma_address arg = {
        .gfn = 0, .count = ram.count, .buffer = (uint64_t)(uintptr_t)frames};

    if (hcall_dma_address(&arg) < 0)
        die("no device addresses: this domain owns no device");
    return frames;
}

uint64_t memory_dma_address(const void *p)
{
    static enum { UNKNOWN, DIRECT, TRANSLATED } how;
    uint64_t gpa = (uint64_t)(uintptr_t)p;

    if (how == UNKNOWN)
        how = start_has_iommu() ? DIRECT : TRANSLATED;
    if (how == DIRECT)
        return gpa;
    if (!memory_is_ram(gpa))
        die("device address of memory that is not RAM");
    return device_frames()[page_of(gpa)] + (gpa & PAGE_MASK);
}

/* ---- for fault injection ---------------------------------------------------------------- */

#define SURVIVOR_PAGES (LAYOUT_SURVIVOR_SIZE >> PAGE_SHIFT)

/* Counts *left down by the taken pages that may be written; the one that finds 0 there, or 0. */
static uint64_t used_pass(const struct pages *p, uint64_t base, size_t *left)
{
    for (size_t n = 0; n < p->count; n++) {
        uint64_t gpa = base + ((uint64_t)n << PAGE_SHIFT);

        if (n % 64 == 0 && p->taken[n / 64] == 0)
            n += 63;
        else if (pages_is_taken(p, n) && paging_may_write(gpa) && (*left)-- == 0)
            return gpa;
    }
    return 0;
}

static uint64_t used_find(size_t *left)
{
    uint64_t gpa = used_pass(&ram, 0, left);

    return gpa != 0 ? gpa : used_pass(&space, LAYOUT_LOW_END, left);
}

void *memory_used_page(uint64_t pick)
{
    size_t left = SIZE_MAX;

    (void)used_find(&left);

    size_t count = SIZE_MAX - left;

    pick %= count + SURVIVOR_PAGES;
    if (pick >= count)
        return at(LAYOUT_SURVIVOR_BASE + ((pick - count) << PAGE_SHIFT));
    left = pick;
    return at(used_find(&left));
}
