/* Pretend VT-d units: the VT-d specification, legacy mode with queued invalidation. */
#include "iommu/fake_units.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/table.h>

#include "iommu/dmar.h"
#include "iommu/fake_table.h"
#include "iommu/iommu.h"

#define CACHE_MAX   160u
#define FAULTS_AT   0x200u
#define RIGHT_READ  1u
#define RIGHT_WRITE 2u

/* What a unit remembers: of a function, its tables; of an owner's page, where it is. */
struct context {
    uint64_t tables, owner;
    bool known, silent;
};
struct page {
    uint64_t owner, gfn, mfn;
    unsigned rights; /* 0: free */
};

static struct unit {
    uint64_t root, entries;
    unsigned head;
    struct context context[0x200];
    struct page page[CACHE_MAX];
    uint64_t entry[IOMMU_ENTRIES][2]; /* remembered where the first word is not 0 */
} units[FAKE_UNITS];

/* 16-bit owners, 4 levels, large pages, faults at 0x200; a queue and interrupts, not coherent. */
uint64_t fake_cap = 6 | 1ull << 10 | 3ull << 34 | (uint64_t)(FAULTS_AT / 16) << 24;
uint64_t fake_ecap = 1ull << 1 | 1ull << 3;
/* ---- memory and registers ---------------------------------------------------------------- */

/* Units read their tables past the CPU's caches. */
static uint64_t word(uint64_t address)
{
    return fake_word(address, false);
}

static void stored(uint64_t *slot, uint64_t old, uint64_t value)
{
    (void)old, (void)value;
    table_flush(slot, sizeof(*slot));
}

static uint64_t reg(const struct unit *u, unsigned at, unsigned size)
{
    return fake_reg((unsigned)(u - units), at, size);
}

static void reg_set(const struct unit *u, unsigned at, unsigned size, uint64_t value)
{
    fake_reg_set((unsigned)(u - units), at, size, value);
}

static void forget(struct unit *u, uint64_t low, uint64_t high)
{
    switch (low & 0xf) {
    case 1: memset(u->context, 0, sizeof(u->context)); return;
    case 2:
        for (unsigned i = 0; i < CACHE_MAX; i++)
            if (u->page[i].rights &&
                ((low >> 4 & 3) == 1 || u->page[i].owner == (low >> 16 & 0xffff))) {
                fake_forgets(u->page[i].mfn);
                u->page[i].rights = 0;
            }
        return;
    case 4: memset(u->entry, 0, sizeof(u->entry)); return;
    case 5: {
        uint32_t status = (uint32_t)(low >> 32);

        EXPECT(low & 0x20);
        memcpy((char *)fake_frame(high >> PAGE_SHIFT) + (high & PAGE_MASK), &status, 4);
        return;
    }
    default: EXPECT(false);
    }
}

static void queue_run(struct unit *u, unsigned tail)
{
    const uint64_t *queue;

    if (!(reg(u, 0x1c, 4) & 1u << 26))
        return;
    queue = fake_frame(reg(u, 0x90, 8) >> PAGE_SHIFT);
    for (; u->head != tail; u->head = (u->head + 1) % 256)
        forget(u, queue[2 * u->head], queue[2 * u->head + 1]);
}

static void command(struct unit *u, uint32_t value)
{
    if (value & 1u << 30)
        u->root = reg(u, 0x20, 8);
    if (value & 1u << 24)
        u->entries = reg(u, 0xb8, 8) & ~0xfffull;
    if (value & 1u << 26 && !(reg(u, 0x1c, 4) & 1u << 26))
        u->head = 0;
    reg_set(u, 0x1c, 4, value | (reg(u, 0x1c, 4) & (1u << 30 | 1u << 24)));
}

static void vtd_write(unsigned unit, unsigned at, unsigned size, uint64_t value)
{
    struct unit *u = &units[unit];

    switch (at) {
    case 0x18: command(u, (uint32_t)value); return;
    case 0x88: queue_run(u, (unsigned)value >> 4); return;
    case 0x34: return;
    case FAULTS_AT + 12: reg_set(u, FAULTS_AT + 12, 4, reg(u, FAULTS_AT + 12, 4) & ~value); return;
    default: reg_set(u, at, size, value);
    }
}

/* ---- devices ---------------------------------------------------------------------------- */

static int64_t refuse(struct unit *u, uint16_t bdf, unsigned reason, uint64_t address, bool write)
{
    if (reg(u, FAULTS_AT + 12, 4) >> 31)
        return -1; /* one is recorded already */
    reg_set(u, FAULTS_AT, 8, address);
    reg_set(u, FAULTS_AT + 8, 4, bdf);
    reg_set(u, FAULTS_AT + 12, 4, 1u << 31 | (write ? 0 : 1u << 30) | reason);
    if (!(reg(u, 0x38, 4) >> 31))
        fake_faults++;
    return -1;
}

/* Down the owner's tables; the rights, 0: none. */
static unsigned walk(uint64_t tables, uint64_t gfn, uint64_t *mfn, bool *bad)
{
    unsigned rights = RIGHT_READ | RIGHT_WRITE;

    for (int level = 3;; level--) {
        uint64_t e = word(tables + 8 * (gfn >> 9 * level & 511));
        uint64_t inside = gfn & ((1ull << 9 * level) - 1);

        rights &= (unsigned)e & 3;
        if (rights == 0)
            return 0;
        *bad = e & (0x800 | 1ull << 62) || (level == 3 && e & 0x80);
        if (*bad)
            return 0;
        tables = e & 0x000ffffffffff000ull;
        if (level == 0 || e & 0x80) {
            *bad = (tables >> PAGE_SHIFT & ((1ull << 9 * level) - 1)) != 0;
            *mfn = (tables >> PAGE_SHIFT) + inside;
            return rights;
        }
    }
}

static struct context context_get(struct unit *u, uint16_t bdf)
{
    struct context *c = &u->context[bdf];
    uint64_t bus = word(u->root + 16 * (bdf >> 8));
    uint64_t at = (bus & ~0xfffull) + 16 * (bdf & 0xff);

    if (c->known || !(bus & 1))
        return *c;
    if (!(word(at) & 1))
        return (struct context){.silent = word(at) >> 1 & 1};
    EXPECT((word(at) & 0xffc) == 0 && (word(at + 8) & 0x7f) == 2);
    *c =
        (struct context){word(at) & ~0xfffull, word(at + 8) >> 8 & 0xffff, true, word(at) >> 1 & 1};
    return *c;
}

static struct page *page_get(struct unit *u, const struct context *c, uint64_t gfn, bool *bad)
{
    struct page *room = NULL;
    uint64_t mfn = 0;

    for (unsigned i = 0; i < CACHE_MAX; i++) {
        struct page *p = &u->page[i];

        if (p->rights && p->owner == c->owner && p->gfn == gfn)
            return p;
        room = p->rights ? room : p;
    }
    unsigned rights = walk(c->tables, gfn, &mfn, bad);
    CHECK(room);
    *room = (struct page){c->owner, gfn, mfn, rights};
    return rights ? room : NULL;
}

static int64_t vtd_dma(unsigned unit, uint16_t bdf, uint64_t address, bool write)
{
    struct unit *u = &units[unit];
    struct context c;
    bool bad = false;

    if (!(reg(u, 0x1c, 4) >> 31))
        return (int64_t)address;
    c = context_get(u, bdf);
    if (!c.known)
        return c.silent ? -1 : refuse(u, bdf, 2, address, write);
    const struct page *p = page_get(u, &c, address >> PAGE_SHIFT, &bad);
    EXPECT(!bad);
    if (!p || !(p->rights & (write ? RIGHT_WRITE : RIGHT_READ)))
        return c.silent ? -1 : refuse(u, bdf, write ? 5 : 6, address & ~(uint64_t)PAGE_MASK, write);
    return (int64_t)(p->mfn << PAGE_SHIFT | (address & PAGE_MASK));
}

static int vtd_send(unsigned unit, uint16_t bdf, uint64_t address, uint32_t data)
{
    struct unit *u = &units[unit];
    unsigned index = (unsigned)(address >> 5 & 0x7fff) + (address & 8 ? data & 0xffff : 0);

    if (!(reg(u, 0x1c, 4) & 1u << 25))
        return (int)(data & 0xff);
    if (!(address & 0x10))
        return (int)refuse(u, bdf, 0x25, 0, true);
    if (index >= IOMMU_ENTRIES)
        return (int)refuse(u, bdf, 0x21, (uint64_t)index << 48, true);
    uint64_t *e = u->entry[index];
    if (e[0] == 0) {
        e[0] = word(u->entries + 16 * index);
        e[1] = word(u->entries + 16 * index + 8);
    }
    if (!(e[0] & 1))
        return (int)refuse(u, bdf, 0x22, (uint64_t)index << 48, true);
    if ((e[1] >> 18 & 3) != 1 || (e[1] & 0xffff) != bdf)
        return (int)refuse(u, bdf, 0x26, (uint64_t)index << 48, true);
    EXPECT((e[0] & 0xffff00ffff00f0e2ull) == 0 && e[1] >> 20 == 0);
    return (int)(e[0] >> 16 & 0xff);
}

/* ---- start -------------------------------------------------------------------------------- */

/* Two units: the second has 00:04.0 and all behind a bridge, the first has the rest. */
static void machine_table(void)
{
    table_begin();
    table_unit(FAKE_UNIT_BASE, 0, true);
    table_scope(SCOPE_IOAPIC, 0, 0xf0, (const uint8_t[3]){0xf8, 0xff});
    table_unit(FAKE_UNIT_BASE + FAKE_UNIT_LEN, 0, false);
    table_scope(SCOPE_FUNCTION, 0, 0, (const uint8_t[3]){0x20, 0xff});
    table_scope(SCOPE_BRIDGE, 0, 0, (const uint8_t[3]){FAKE_BRIDGE, 0xff});
    table_region(0);
    table_scope(SCOPE_FUNCTION, 0, 0, (const uint8_t[3]){FAKE_KEPT, 0xff});
    dmar_read(fake_table, fake_table_len);
    EXPECT(dmar.usable && dmar.unit_count == FAKE_UNITS);
}

static void vtd_start(void)
{
    memset(units, 0, sizeof(units));
    for (unsigned i = 0; i < FAKE_UNITS; i++) {
        reg_set(&units[i], 0x08, 8, fake_cap);
        reg_set(&units[i], 0x10, 8, fake_ecap);
    }
    fake_on_table = stored;
    machine_table();
}

const struct fake_vendor fake_vtd = {
    .start = vtd_start, .write = vtd_write, .dma = vtd_dma, .send = vtd_send};
