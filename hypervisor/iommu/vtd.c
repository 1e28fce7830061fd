/* VT-d units: VT-d specification, chapters 3, 5, 6, 7 and 11; legacy mode, queued invalidation. */
#include <arch/acpi.h>
#include <arch/clock.h>
#include <arch/irq.h>
#include <arch/table.h>

#include <abi/xen.h>

#include "console/console.h"
#include "iommu/dmar.h"
#include "iommu/queue.h"
#include "iommu/vendor.h"
#include "mm/heap.h"
#include "mm/p2m.h"
#include "mm/paging.h"
#include "mm/pool.h"
#include "pci/function.h"

/* Registers. */
#define REG_CAP     0x08u
#define REG_ECAP    0x10u
#define REG_COMMAND 0x18u
#define REG_STATUS  0x1cu
#define REG_ROOT    0x20u
#define REG_FAULTS  0x34u
#define REG_CONTROL 0x38u /* of the fault interrupt: then data, address, upper address */
#define REG_REGIONS 0x64u
#define REG_TAIL    0x88u
#define REG_QUEUE   0x90u
#define REG_ENTRIES 0xb8u
#define REGS_LEN    0x6000u /* fault records can lie as far as that */

/* Commands, and the same bits of the status. */
#define COMMAND_TRANSLATE (1u << 31)
#define COMMAND_ROOT      (1u << 30)
#define COMMAND_QUEUE     (1u << 26)
#define COMMAND_REMAP     (1u << 25)
#define COMMAND_ENTRIES   (1u << 24)
#define COMMANDS_KEPT     0x96ffffffu /* those that are no single events */

/* Invalidation descriptors. */
#define INVALIDATE_CONTEXT 0x11u /* all */
#define INVALIDATE_IOTLB   0x12u /* all; with drains */
#define INVALIDATE_OWNER   0x22u /* one owner's */
#define INVALIDATE_DRAIN   0xc0u /* of the last two: DMA under way is finished first */
#define INVALIDATE_ENTRIES 0x04u
#define INVALIDATE_WAIT    0x25u /* writes a word when all before it is done */
#define OWNER_SHIFT        16

/* Context entries. */
#define CONTEXT_PRESENT (1ull << 0)
#define CONTEXT_SILENT  (1ull << 1)
#define CONTEXT_LEVELS4 2ull

/* Interrupt entries. */
#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_LEVEL   (1ull << 4)
#define ENTRY_FROM    (1ull << 18) /* only from the function that the entry names */

/* Fault records. */
#define FAULT_RECORDED  (1u << 31) /* of its last word */
#define FAULT_READ      (1u << 30)
#define FAULTS_LOST     (1u << 0)
#define FAULT_INTERRUPT 0x20u /* reasons from here on are of interrupts */

/* The address of a message that names an entry. */
#define MESSAGE_ADDRESS 0xfee00010u
#define MESSAGE_OFFSET  (1u << 3)

#define ECAP_COHERENT   (1u << 0)
#define CAP_REGIONS     (3ull << 5)
#define FAULTS_AT(cap)  ((unsigned)((cap) >> 24 & 0x3ff) * 16)
#define FAULTS_END(cap) (FAULTS_AT(cap) + 16 * ((unsigned)((cap) >> 40 & 0xff) + 1))

#define ENTRIES_256 7u
#define ANSWER_NS   1000000000u

static struct unit {
    volatile uint8_t *regs;
    struct iommu_queue queue;
} units[DMAR_UNITS];

/* What all units have together, and a queue for each. */
enum page {
    PAGE_ROOT,    /* by bus, in pairs: where the context table is */
    PAGE_ENTRIES, /* for interrupts, in pairs */
    PAGE_ANSWERS, /* of units to the last descriptor of a queue */
    PAGE_QUEUES
};
#define PAGES_ORDER 4u
static uint64_t (*pages)[PAGE_SIZE / sizeof(uint64_t)];

/*
 * What a unit must have: tables of 4 levels, pages of 2 MiB and 1 GiB, no write
 * buffer to be flushed, no cache of what is not there; a queue for invalidations,
 * and remapping of interrupts.
 */
#define CAP_ASKED  (1ull << 10 | 3ull << 34 | 1ull << 4 | 1ull << 7)
#define CAP_WANTED (1ull << 10 | 3ull << 34)
#define ECAP_ASKED (1ull << 1 | 1ull << 3)

/* ---- commands and invalidation --------------------------------------------------------- */

static void command(const struct unit *u, uint32_t bit, bool on)
{
    uint32_t now = (uint32_t)device_read(u->regs + REG_STATUS, 4) & COMMANDS_KEPT;
    uint64_t limit = clock_now() + ANSWER_NS;

    device_write(u->regs + REG_COMMAND, 4, on ? now | bit : now & ~bit);
    while (((device_read(u->regs + REG_STATUS, 4) & bit) != 0) != on)
        CHECK(clock_now() < limit);
}

/* Returns when the unit has. */
static void forget(struct unit *u, uint64_t what)
{
    struct iommu_queue *q = &u->queue;

    q->asked++;
    queue_put(q, what, 0);
    queue_finish(q, INVALIDATE_WAIT | (uint64_t)q->asked << 32,
                 pool_address(pages[PAGE_ANSWERS]) + (uint64_t)(u - units) * sizeof(uint64_t));
}

static void forget_context(struct unit *u)
{
    forget(u, INVALIDATE_CONTEXT);
    forget(u, INVALIDATE_IOTLB | INVALIDATE_DRAIN);
}

static void vtd_flush(unsigned unit, uint16_t owner)
{
    forget(&units[unit], INVALIDATE_OWNER | INVALIDATE_DRAIN | (uint64_t)owner << OWNER_SHIFT);
}

/* ---- functions ------------------------------------------------------------------------- */

/* The function's entry, in a table of its bus that is there from now on. */
static uint64_t *context_of(uint16_t bdf)
{
    uint64_t *bus = &pages[PAGE_ROOT][2 * (bdf >> 8)];
    uint64_t *table = *bus ? pool_page_known(*bus >> PAGE_SHIFT) : pool_alloc(0);

    if (!table)
        return NULL;
    if (!*bus) {
        table_flush(table, PAGE_SIZE);
        table_write(bus, pool_address(table) | CONTEXT_PRESENT);
    }
    return &table[2 * (bdf & 0xff)];
}

static int vtd_attach(uint16_t bdf, struct p2m *p2m, uint16_t owner)
{
    unsigned unit = (unsigned)dmar_unit_of(bdf);
    uint64_t *entry = context_of(bdf);

    if (owner >> (4 + 2 * (device_read(units[unit].regs + REG_CAP, 8) & 7)))
        return -XEN_EPERM;
    if (!entry)
        return -XEN_ENOMEM;
    __atomic_fetch_or(&p2m->iommus, 1u << unit, __ATOMIC_SEQ_CST);
    table_write(&entry[0], 0);
    table_write(&entry[1], (uint64_t)owner << 8 | CONTEXT_LEVELS4);
    table_write(&entry[0], pool_address(p2m->root) | CONTEXT_PRESENT);
    forget_context(&units[unit]);
    return 0;
}

static void vtd_detach(uint16_t bdf)
{
    uint64_t *entry = context_of(bdf);

    CHECK(entry); /* it was attached */
    table_write(entry, 0);
    forget_context(&units[dmar_unit_of(bdf)]);
}

static void vtd_silence(uint16_t bdf)
{
    uint64_t *entry = context_of(bdf);
    int unit = dmar_unit_of(bdf);

    if (!entry || unit < 0)
        return;
    table_write(entry, *entry | CONTEXT_SILENT);
    forget_context(&units[unit]);
}

/* ---- interrupts ------------------------------------------------------------------------ */

static void entry_clear(unsigned entry)
{
    table_write(&pages[PAGE_ENTRIES][2 * entry], 0);
    for (unsigned i = 0; i < dmar.unit_count; i++)
        forget(&units[i], INVALIDATE_ENTRIES);
}

static struct iommu_message vtd_entry_write(unsigned entry, uint16_t bdf, unsigned vector)
{
    bool ioapic = entry >= IOMMU_ENTRY_IOAPIC;
    bool level = entry == IOMMU_ENTRY_UART ? acpi.uart.level : acpi.timer.level;
    uint64_t to = irq_message_address() >> 12 & 0xff;

    entry_clear(entry);
    if (ioapic)
        bdf = dmar_ioapic(acpi.ioapic_id);
    table_write(&pages[PAGE_ENTRIES][2 * entry + 1], bdf | ENTRY_FROM);
    table_write(&pages[PAGE_ENTRIES][2 * entry],
                to << 40 | vector << 16 | (ioapic && level ? ENTRY_LEVEL : 0) | ENTRY_PRESENT);
    /* An I/O APIC's vector must be the entry's; a function's data is an offset to the index. */
    return (struct iommu_message){MESSAGE_ADDRESS | entry << 5 | (ioapic ? 0 : MESSAGE_OFFSET),
                                  ioapic ? vector : 0};
}

/* ---- faults ---------------------------------------------------------------------------- */

static bool vtd_fault(struct iommu_fault *fault)
{
    for (const struct unit *u = units; u < units + dmar.unit_count; u++) {
        uint64_t cap = device_read(u->regs + REG_CAP, 8);

        for (unsigned at = FAULTS_AT(cap); at < FAULTS_END(cap); at += 16) {
            uint32_t last = (uint32_t)device_read(u->regs + at + 12, 4), reason = last & 0xff;
            uint64_t address = device_read(u->regs + at, 8);

            if (!(last & FAULT_RECORDED))
                continue;
            *fault = (struct iommu_fault){.bdf = (uint16_t)device_read(u->regs + at + 8, 4),
                                          .interrupt = reason >= FAULT_INTERRUPT,
                                          .write = !(last & FAULT_READ),
                                          .reason = (uint8_t)reason};
            fault->address = fault->interrupt ? address >> 48 : address;
            device_write(u->regs + at + 12, 4, FAULT_RECORDED);
            return true;
        }
        device_write(u->regs + REG_FAULTS, 4, FAULTS_LOST);
    }
    return false;
}

static const struct iommu_vendor vtd = {
    .refusal = dmar_refusal,
    .attach = vtd_attach,
    .detach = vtd_detach,
    .flush = vtd_flush,
    .silence = vtd_silence,
    .entry_write = vtd_entry_write,
    .entry_clear = entry_clear,
    .fault = vtd_fault,
};

/* ---- start ----------------------------------------------------------------------------- */

static bool is_fit(unsigned unit)
{
    struct unit *u = &units[unit];
    uint64_t cap, ecap;

    u->regs = paging_map_device((hpa_t){dmar.unit[unit].base}, REGS_LEN);
    if (!u->regs)
        return false;
    cap = device_read(u->regs + REG_CAP, 8);
    ecap = device_read(u->regs + REG_ECAP, 8);
    table_incoherent = table_incoherent || !(ecap & ECAP_COHERENT);
    if ((cap & CAP_ASKED) == CAP_WANTED && (ecap & ECAP_ASKED) == ECAP_ASKED)
        return true;
    console_log("IOMMU: the unit at %lx cannot do what it must (%lx, %lx)", dmar.unit[unit].base,
                cap, ecap);
    return false;
}

static void unit_start(unsigned unit, unsigned vector)
{
    struct unit *u = &units[unit];

    command(u, COMMAND_QUEUE, false);
    u->queue = (struct iommu_queue){.commands = pages[PAGE_QUEUES + unit],
                                    .answer = &pages[PAGE_ANSWERS][unit],
                                    .tail_place = u->regs + REG_TAIL};
    device_write(u->regs + REG_TAIL, 8, 0);
    device_write(u->regs + REG_QUEUE, 8, pool_address(u->queue.commands));
    command(u, COMMAND_QUEUE, true);
    device_write(u->regs + REG_ROOT, 8, pool_address(pages[PAGE_ROOT]));
    command(u, COMMAND_ROOT, true);
    device_write(u->regs + REG_ENTRIES, 8, pool_address(pages[PAGE_ENTRIES]) | ENTRIES_256);
    command(u, COMMAND_ENTRIES, true);
    forget(u, INVALIDATE_ENTRIES);
    forget_context(u);
    command(u, COMMAND_TRANSLATE, true);
    command(u, COMMAND_REMAP, true);
    if (device_read(u->regs + REG_CAP, 8) &
        CAP_REGIONS) /* firmware's own way of blocking DMA: not needed */
        device_write(u->regs + REG_REGIONS, 4, 0);
    device_write(u->regs + REG_CONTROL + 4, 4, vector);
    device_write(u->regs + REG_CONTROL + 8, 4, (uint32_t)irq_message_address());
    device_write(u->regs + REG_CONTROL + 12, 4, 0);
    device_write(u->regs + REG_CONTROL, 4, 0);
}

const struct iommu_vendor *vtd_init(unsigned vector)
{
    _Static_assert(PAGE_QUEUES + DMAR_UNITS <= 1u << PAGES_ORDER, "a queue for each unit");

    for (unsigned i = 0; i < dmar.unit_count; i++)
        if (!dmar.usable || !is_fit(i))
            return NULL;
    pages = dmar.usable ? pool_alloc(PAGES_ORDER) : NULL;
    if (!pages)
        return NULL;
    table_flush(pages, PAGE_SIZE << PAGES_ORDER);
    for (unsigned i = 0; i < dmar.unit_count; i++)
        unit_start(i, vector);
    return &vtd;
}
