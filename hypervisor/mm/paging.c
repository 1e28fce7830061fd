/* The core's page tables: built once; afterwards only windows and devices change. */
#include "mm/paging.h"

#include <arch/cpu.h>
#include <arch/image.h>
#include <arch/table.h>

#include "mm/heap.h"
#include "mm/plan.h"
#include "mm/table.h"
#include "util/string.h"

#define DEVICE_BASE 0xffff810000000000ull
#define WINDOW_BASE 0xffffffffc0000000ull

#define WINDOW_SLOTS 32u /* of each CPU */

#define PTE_PRESENT  (1ull << 0)
#define PTE_WRITE    (1ull << 1)
#define PTE_UNCACHED (3ull << 3)
#define PTE_LARGE    (1ull << 7)
#define PTE_GLOBAL   (1ull << 8)
#define PTE_NX       (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull

#define MAP_TEXT   (PTE_PRESENT | PTE_GLOBAL)
#define MAP_RODATA (PTE_PRESENT | PTE_GLOBAL | PTE_NX)
#define MAP_DATA   (PTE_PRESENT | PTE_GLOBAL | PTE_NX | PTE_WRITE)
#define MAP_DEVICE (MAP_DATA | PTE_UNCACHED)

#define LARGE_SIZE 0x200000u
#define TABLE_SIZE 512u

static struct {
    uint64_t root;      /* physical */
    uint64_t next, end; /* pages of the pool while the tables are built */
    uint64_t offset;    /* from a table's physical address to where it is seen */
    bool built;
    uint64_t device_next;
    uint64_t *window; /* entries, one per slot */
} paging;

extern char boot_stack_guard[];

_Static_assert(WINDOWS <= WINDOW_SLOTS, "slots of one CPU");

static void *seen(uint64_t address)
{
    return (void *)(uintptr_t)(address + paging.offset); /* NOLINT(performance-no-int-to-ptr) */
}

/* A zeroed page of the pool, by physical address; 0: none. */
static uint64_t page_take(void)
{
    if (paging.built) {
        void *page = pool_alloc(0);
        return page ? pool_mfn(page).v << PAGE_SHIFT : 0;
    }
    CHECK(paging.next < paging.end);
    uint64_t page = paging.next;
    paging.next += PAGE_SIZE;
    memset(seen(page), 0, PAGE_SIZE);
    return page;
}

/* The slot for an address at a level (0: 4 KiB); NULL: no memory for a table. */
static uint64_t *slot_find(uint64_t virt, unsigned level)
{
    uint64_t *table = seen(paging.root);

    for (unsigned at = 3;; at--) {
        uint64_t *slot = &table[virt >> (PAGE_SHIFT + 9 * at) & (TABLE_SIZE - 1)];
        if (at == level)
            return slot;
        if (!*slot) {
            uint64_t page = page_take();
            if (!page)
                return NULL;
            table_write(slot, page | PTE_PRESENT | PTE_WRITE);
        }
        table = seen(*slot & PTE_ADDRESS);
    }
}

static bool map(uint64_t virt, uint64_t phys, uint64_t len, uint64_t flags)
{
    while (len > 0) {
        bool large = !((virt | phys) & (LARGE_SIZE - 1)) && len >= LARGE_SIZE;
        uint64_t step = large ? LARGE_SIZE : PAGE_SIZE;
        uint64_t *slot = slot_find(virt, large);
        if (!slot)
            return false;
        table_write(slot, phys | flags | (large ? PTE_LARGE : 0));
        virt += step;
        phys += step;
        len -= step;
    }
    return true;
}

static void map_section(const char *from, const char *to, uint64_t flags)
{
    uint64_t virt = (uintptr_t)from;

    CHECK(map(virt, virt - IMAGE_VIRT, (uint64_t)(to - from), flags));
}

/* Entries for memory that is not there share one page of zeroes: FRAME_ABSENT. */
static void map_frame_table(const struct plan *plan)
{
    const uint64_t per_page = PAGE_SIZE / sizeof(struct frame);
    uint64_t absent = page_take();

    for (uint64_t i = 0; i * per_page < plan->frames; i++) {
        struct memory_range part = {(i * per_page) << PAGE_SHIFT, ((i + 1) * per_page)
                                                                      << PAGE_SHIFT};
        bool covered = plan_covers(plan, part);
        CHECK(map(PAGING_FRAMES + i * PAGE_SIZE, covered ? page_take() : absent, PAGE_SIZE,
                  covered ? MAP_DATA : MAP_RODATA));
    }
}

/* Window entries lie side by side: their tables are taken one after the other. */
static uint64_t map_windows(void)
{
    uint64_t first = 0;

    for (uint64_t i = 0; i < (uint64_t)CPU_MAX * WINDOW_SLOTS; i += TABLE_SIZE) {
        uint64_t *slot = slot_find(WINDOW_BASE + i * PAGE_SIZE, 1);
        uint64_t page = page_take();
        CHECK(slot && (i == 0 || page == first + i * sizeof(uint64_t)));
        first = i == 0 ? page : first;
        table_write(slot, page | PTE_PRESENT | PTE_WRITE);
    }
    return first;
}

uint64_t paging_init(const struct plan *plan)
{
    uint64_t pool_len = plan->pool.end - plan->pool.start;

    paging.next = plan->pool.start;
    paging.end = plan->pool.end;
    paging.root = page_take();
    map_section(image_text, image_rodata, MAP_TEXT);
    map_section(image_rodata, image_data, MAP_RODATA);
    map_section(image_data, image_end, MAP_DATA);
    uint64_t *guard = slot_find((uintptr_t)boot_stack_guard, 0);
    CHECK(guard);
    table_write(guard, 0);
    CHECK(map(PAGING_POOL, plan->pool.start, pool_len, MAP_DATA));
    map_frame_table(plan);
    uint64_t windows = map_windows();

    __asm__ volatile("movq %0, %%cr3" : : "r"(paging.root) : "memory");
    paging.offset = PAGING_POOL - plan->pool.start;
    paging.built = true;
    paging.device_next = DEVICE_BASE;
    paging.window = seen(windows);
    return (paging.next - plan->pool.start) >> PAGE_SHIFT;
}

void paging_window_init(void)
{
    struct cpu *cpu = cpu_this();
    uint64_t slot = (uint64_t)cpu->id * WINDOW_SLOTS;

    for (unsigned i = 0; i < WINDOWS; i++, slot++) {
        uint64_t at = WINDOW_BASE + slot * PAGE_SIZE;

        cpu->peek[i].entry = &paging.window[slot];
        cpu->peek[i].address = (char *)(uintptr_t)at; /* NOLINT(performance-no-int-to-ptr) */
    }
}

uint64_t paging_first_reach(void)
{
    bool giant = cpu_cpuid(0x80000001, 0).edx & 1u << 26;

    return giant ? 512ull << 30 : 4ull << 30;
}

void *paging_map_device(hpa_t address, size_t len)
{
    uint64_t first = address.v & ~(uint64_t)PAGE_MASK;
    uint64_t size = ((address.v + len + PAGE_MASK) & ~(uint64_t)PAGE_MASK) - first;
    uint64_t virt = paging.device_next;

    /* The same place inside 2 MiB on both sides, so that large pages fit. */
    if (size >= LARGE_SIZE)
        virt = ((virt + LARGE_SIZE - 1) & ~(uint64_t)(LARGE_SIZE - 1)) + (first & (LARGE_SIZE - 1));
    if (!map(virt, first, size, MAP_DEVICE))
        return NULL;
    paging.device_next = virt + size;
    virt += address.v & PAGE_MASK;
    return (void *)(uintptr_t)virt; /* NOLINT(performance-no-int-to-ptr) */
}
