/* AMD-Vi units: AMD I/O Virtualization Technology specification, chapters 2 and 3. */
#include <arch/acpi.h>
#include <arch/clock.h>
#include <arch/irq.h>
#include <arch/table.h>

#include <abi/xen.h>

#include "console/console.h"
#include "iommu/ivrs.h"
#include "iommu/queue.h"
#include "iommu/vendor.h"
#include "mm/heap.h"
#include "mm/p2m.h"
#include "mm/paging.h"
#include "mm/pool.h"
#include "pci/function.h"

/* Registers. */
#define REG_DEVICES      0x00u
#define REG_COMMANDS     0x08u
#define REG_EVENTS       0x10u
#define REG_CONTROL      0x18u
#define REG_EXCLUSION    0x20u
#define REG_FEATURES     0x30u
#define REG_COMMAND_TAIL 0x2008u
#define REG_EVENT_HEAD   0x2010u
#define REG_EVENT_TAIL   0x2018u
#define REG_STATUS       0x2020u
#define REGS_LEN         0x4000u
#define ANSWER_NS        1000000000u

#define LENGTH_256 (8ull << 56) /* of commands and of events: a page of either */

#define CONTROL_ON         (1ull << 0)
#define CONTROL_EVENTS     (1ull << 2)
#define CONTROL_EVENT_INT  (1ull << 3)
#define CONTROL_COHERENT   (1ull << 10)
#define CONTROL_COMMANDS   (1ull << 12)
#define FEATURE_FORGET_ALL (1ull << 6)
#define CAPABILITY_ABSENT  (1u << 26)

#define STATUS_OVERFLOW  (1u << 0)
#define STATUS_EVENT_INT (1u << 1)
#define STATUS_RUNS      (3u << 3) /* the log and the commands */

/* Commands. */
#define COMMAND_FINISH     (1ull << 60 | 1) /* writes a word */
#define COMMAND_DEVICE     (2ull << 60)
#define COMMAND_PAGES      (3ull << 60)
#define COMMAND_INTERRUPTS (5ull << 60)
#define COMMAND_ALL        (8ull << 60)
#define PAGES_OWNER_SHIFT  32
#define PAGES_ALL          0x7ffffffffffff003ull /* of an owner, and the tables on the way */

/* Entries of the device table, by word. */
#define DEVICE_BLOCKED    3ull /* it is translated, and may do nothing */
#define DEVICE_LEVELS4    (4ull << 9)
#define DEVICE_READ       (1ull << 61)
#define DEVICE_WRITE      (1ull << 62)
#define DEVICE_SILENT     (1ull << 34)
#define DEVICE_OWNER      0xffffull
#define DEVICE_INTERRUPTS 0x11ull /* they are looked at, by a table of 256 entries */
#define DEVICE_REMAPPED   (2ull << 60)
#define DEVICE_TABLE      0x000fffffffffffc0ull
#define DEVICE_QUIET      (1ull << 5)

#define INTERRUPT_ON 1u

/* Events. */
#define EVENT_LEN       16u
#define EVENT_INTERRUPT (1ull << 51)
#define EVENT_WRITE     (1ull << 53)
#define EVENT_CODE(e)   ((unsigned)((e) >> 60))

enum page { PAGE_COMMANDS, PAGE_EVENTS, PAGE_ANSWER };
#define PAGES_ORDER 2u

static struct unit {
    volatile uint8_t *regs;
    uint64_t (*pages)[PAGE_SIZE / sizeof(uint64_t)];
    struct iommu_queue queue;
    bool keeps_absent; /* what it found not to be there it need not look for again */
} units[IVRS_UNITS];

/* Of all units, by bdf, for every bus that there is. */
static uint64_t (*devices)[4];
static unsigned device_count;

/* Whose table has what was made for an entry, and where; NULL: nothing was. */
static struct {
    uint16_t bdf;
    volatile uint32_t *at;
} places[IOMMU_ENTRIES];

/* ---- commands -------------------------------------------------------------------------- */

static void finish(struct unit *u)
{
    u->queue.asked++;
    queue_finish(&u->queue, COMMAND_FINISH | pool_address(u->pages[PAGE_ANSWER]), u->queue.asked);
}

static void amdvi_flush(unsigned unit, uint16_t owner)
{
    queue_put(&units[unit].queue, COMMAND_PAGES | (uint64_t)owner << PAGES_OWNER_SHIFT, PAGES_ALL);
    finish(&units[unit]);
}

/* What stands in the function's entry counts, when it returns. */
static void forget_device(struct unit *u, uint16_t bdf)
{
    queue_put(&u->queue, COMMAND_DEVICE | bdf, 0);
    queue_put(&u->queue, COMMAND_INTERRUPTS | bdf, 0);
    finish(u);
}

/* ---- functions ------------------------------------------------------------------------- */

/* From now on what stands in the function's table of interrupts is raised. NULL: no memory for one.
 */
static volatile uint32_t *interrupts_open(uint16_t bdf)
{
    uint64_t known = devices[bdf][2] & DEVICE_TABLE;
    uint32_t *table = known ? pool_page_known(known >> PAGE_SHIFT) : pool_alloc(0);

    if (table)
        table_write(&devices[bdf][2], DEVICE_INTERRUPTS | DEVICE_REMAPPED | pool_address(table));
    return table;
}

static int amdvi_attach(uint16_t bdf, struct p2m *p2m, uint16_t owner)
{
    unsigned unit = (unsigned)ivrs_unit_of(bdf);
    uint64_t *device = devices[bdf];

    if (bdf >= device_count)
        return -XEN_EPERM;
    if (!interrupts_open(bdf))
        return -XEN_ENOMEM;
    __atomic_fetch_or(&p2m->iommus, 1u << unit | (units[unit].keeps_absent ? P2M_IOMMU_ABSENT : 0),
                      __ATOMIC_SEQ_CST);
    table_write(&device[1], owner);
    table_write(&device[0], pool_address(p2m->root) | DEVICE_LEVELS4 | DEVICE_READ | DEVICE_WRITE |
                                DEVICE_BLOCKED);
    forget_device(&units[unit], bdf);
    return 0;
}

static void amdvi_detach(uint16_t bdf)
{
    unsigned unit = (unsigned)ivrs_unit_of(bdf);
    uint64_t *device = devices[bdf];
    uint16_t owner = (uint16_t)(device[1] & DEVICE_OWNER);

    table_write(&device[0], DEVICE_BLOCKED);
    table_write(&device[1], 0);
    table_write(&device[2], device[2] & ~(DEVICE_REMAPPED | DEVICE_QUIET));
    forget_device(&units[unit], bdf);
    amdvi_flush(unit, owner);
}

static void amdvi_silence(uint16_t bdf)
{
    if (bdf >= device_count)
        return;
    table_write(&devices[bdf][1], devices[bdf][1] | DEVICE_SILENT);
    table_write(&devices[bdf][2], devices[bdf][2] | DEVICE_QUIET);
    for (unsigned i = 0; i < ivrs.unit_count; i++) /* firmware need not name it anywhere */
        forget_device(&units[i], bdf);
}

/* ---- interrupts ------------------------------------------------------------------------ */

static void entry_store(unsigned entry, uint32_t value)
{
    *places[entry].at = value;
    /* Which the I/O APIC's table is new to. */
    forget_device(&units[ivrs_unit_of(places[entry].bdf)], places[entry].bdf);
}

static void amdvi_entry_clear(unsigned entry)
{
    if (places[entry].at)
        entry_store(entry, 0);
    places[entry].at = NULL;
}

/*
 * A message's data is the index in its sender's table. What the I/O APIC sends is
 * told by the same number when it ends: so its index is the vector.
 */
static struct iommu_message amdvi_entry_write(unsigned entry, uint16_t bdf, unsigned vector)
{
    bool ioapic = entry >= IOMMU_ENTRY_IOAPIC;
    uint32_t to = (uint32_t)(irq_message_address() >> 12 & 0xff), index = ioapic ? vector : entry;
    volatile uint32_t *table = NULL;

    amdvi_entry_clear(entry);
    if (ioapic)
        bdf = ivrs.ioapic[acpi.ioapic_id];
    if (bdf != 0 && bdf < device_count && ivrs_unit_of(bdf) >= 0)
        table = interrupts_open(bdf);
    places[entry].bdf = bdf;
    places[entry].at = table ? table + index : NULL;
    if (table)
        entry_store(entry, INTERRUPT_ON | to << 8 | vector << 16);
    else
        console_log("IOMMU: no unit names the I/O APIC: what is typed does not arrive");
    return (struct iommu_message){0xfee00000u, index};
}

/* ---- events ---------------------------------------------------------------------------- */

/* The log was full and is off: whatever came since is blocked, and lost. */
static void events_restart(struct unit *u)
{
    uint64_t control = device_read(u->regs + REG_CONTROL, 8);

    if (!(device_read(u->regs + REG_STATUS, 4) & STATUS_OVERFLOW))
        return;
    device_write(u->regs + REG_CONTROL, 8, control & ~CONTROL_EVENTS);
    device_write(u->regs + REG_STATUS, 4, STATUS_OVERFLOW);
    device_write(u->regs + REG_CONTROL, 8, control);
}

static bool event_take(struct unit *u, struct iommu_fault *fault)
{
    unsigned head = (unsigned)device_read(u->regs + REG_EVENT_HEAD, 4);
    volatile uint64_t *e = &u->pages[PAGE_EVENTS][head % PAGE_SIZE / sizeof(uint64_t)];
    uint64_t low = e[0];

    /* The index may be ahead of the event itself: then it is told of again with the next. */
    if (head == (unsigned)device_read(u->regs + REG_EVENT_TAIL, 4) || EVENT_CODE(low) == 0)
        return false;
    *fault = (struct iommu_fault){.bdf = (uint16_t)low,
                                  .interrupt = (low & EVENT_INTERRUPT) != 0,
                                  .write = (low & EVENT_WRITE) != 0,
                                  .reason = (uint8_t)EVENT_CODE(low),
                                  .address = e[1]};
    e[0] = 0;
    device_write(u->regs + REG_EVENT_HEAD, 4, (head + EVENT_LEN) % PAGE_SIZE);
    return true;
}

static bool amdvi_fault(struct iommu_fault *fault)
{
    for (struct unit *u = units; u < units + ivrs.unit_count; u++) {
        if (event_take(u, fault))
            return true;
        /* From now on there is an interrupt again; what came just before is taken as well. */
        device_write(u->regs + REG_STATUS, 4, STATUS_EVENT_INT);
        if (event_take(u, fault))
            return true;
        events_restart(u);
    }
    return false;
}

static const struct iommu_vendor amdvi = {
    .refusal = ivrs_refusal,
    .attach = amdvi_attach,
    .detach = amdvi_detach,
    .flush = amdvi_flush,
    .silence = amdvi_silence,
    .entry_write = amdvi_entry_write,
    .entry_clear = amdvi_entry_clear,
    .fault = amdvi_fault,
};

/* ---- start ----------------------------------------------------------------------------- */

static bool is_fit(unsigned unit)
{
    const struct pci_function *f = function_find(ivrs.unit[unit].bdf);
    struct unit *u = &units[unit];

    u->keeps_absent = !f || config_read(f, ivrs.unit[unit].capability, 4) & CAPABILITY_ABSENT;
    u->regs = paging_map_device((hpa_t){ivrs.unit[unit].base}, REGS_LEN);
    u->pages = pool_alloc(PAGES_ORDER);
    if (!u->regs || !u->pages)
        return false;
    if (device_read(u->regs + REG_FEATURES, 8) & FEATURE_FORGET_ALL)
        return true;
    console_log("IOMMU: the unit at %lx cannot do what it must (%lx)", ivrs.unit[unit].base,
                device_read(u->regs + REG_FEATURES, 8));
    return false;
}

/* Every function that there can be is blocked, its interrupts included. */
static bool devices_create(void)
{
    const struct pci_function *f;
    unsigned order = 1; /* of the pages for one bus */

    device_count = 256;
    for (unsigned i = 0; (f = function_at(i)) != NULL; i++)
        while (f->bdf >= device_count) {
            device_count *= 2;
            order++;
        }
    devices = pool_alloc(order);
    for (unsigned i = 0; devices && i < device_count; i++) {
        devices[i][0] = DEVICE_BLOCKED;
        devices[i][2] = DEVICE_INTERRUPTS;
    }
    return devices != NULL;
}

/* The unit interrupts by MSI of its own function. */
static void events_route(const struct pci_function *f, unsigned vector)
{
    unsigned at = f ? f->msi.capability : 0;

    if (at == 0) {
        console_log("IOMMU: a unit has no way to tell of what it blocks");
        return;
    }
    config_write(f, at + 4, 4, (uint32_t)irq_message_address());
    if (f->msi.wide)
        config_write(f, at + 8, 4, 0);
    config_write(f, at + (f->msi.wide ? 12 : 8), 2, vector);
    config_write(f, at + 2, 2, (config_read(f, at, 4) >> 16) | 1);
}

/* Firmware's wishes: tunnels (bit 0 there, 1 here), posted writes (1 and 2; 8, 9), isochronous (3;
 * 11). */
static uint64_t control_of(uint64_t flags)
{
    return CONTROL_ON | CONTROL_EVENTS | CONTROL_EVENT_INT | CONTROL_COHERENT | CONTROL_COMMANDS |
           (flags & 1) << 1 | (flags & 6) << 7 | (flags & 8) << 8;
}

static void unit_start(unsigned unit, unsigned vector)
{
    struct unit *u = &units[unit];
    uint64_t limit = clock_now() + ANSWER_NS;

    u->queue = (struct iommu_queue){.commands = u->pages[PAGE_COMMANDS],
                                    .answer = u->pages[PAGE_ANSWER],
                                    .tail_place = u->regs + REG_COMMAND_TAIL};
    device_write(u->regs + REG_CONTROL, 8, 0);
    while (device_read(u->regs + REG_STATUS, 4) & STATUS_RUNS) /* as firmware left it */
        CHECK(clock_now() < limit);
    device_write(u->regs + REG_EXCLUSION, 8, 0);
    device_write(u->regs + REG_DEVICES, 8,
                 pool_address(devices) | (device_count * sizeof(devices[0]) / PAGE_SIZE - 1));
    device_write(u->regs + REG_COMMANDS, 8, pool_address(u->pages[PAGE_COMMANDS]) | LENGTH_256);
    device_write(u->regs + REG_EVENTS, 8, pool_address(u->pages[PAGE_EVENTS]) | LENGTH_256);
    device_write(u->regs + REG_STATUS, 4, STATUS_OVERFLOW | STATUS_EVENT_INT);
    events_route(function_find(ivrs.unit[unit].bdf), vector);
    device_write(u->regs + REG_CONTROL, 8, control_of(ivrs.unit[unit].flags));
    queue_put(&u->queue, COMMAND_ALL, 0);
    finish(u);
}

const struct iommu_vendor *amdvi_init(unsigned vector)
{
    for (unsigned i = 0; i < ivrs.unit_count; i++)
        if (!ivrs.usable || !is_fit(i))
            return NULL;
    if (!ivrs.usable || !devices_create())
        return NULL;
    table_amdvi = true;
    for (unsigned i = 0; i < ivrs.unit_count; i++)
        unit_start(i, vector);
    return &amdvi;
}
