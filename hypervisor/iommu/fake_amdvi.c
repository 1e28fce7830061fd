/*
 * Pretend AMD-Vi units: AMD I/O Virtualization Technology specification, chapters 2
 * and 3. They may read whatever tables say whenever they like, so they do after every
 * store and before every command. Firmware has used them.
 */
#include "iommu/fake_units.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "iommu/fake_kept.h"
#include "iommu/fake_table.h"
#include "iommu/ivrs.h"

#define DEVICES       0x00u
#define COMMANDS      0x08u
#define EVENTS        0x10u
#define CONTROL       0x18u
#define EXCLUSION     0x20u
#define EXCLUSION_END 0x28u
#define FEATURES      0x30u
#define COMMAND_HEAD  0x2000u
#define COMMAND_TAIL  0x2008u
#define EVENT_HEAD    0x2010u
#define EVENT_TAIL    0x2018u
#define STATUS        0x2020u

#define CONTROL_ON        (1ull << 0)
#define CONTROL_EVENTS    (1ull << 2)
#define CONTROL_INTERRUPT (1ull << 3)
#define CONTROL_COHERENT  (1ull << 10)
#define CONTROL_COMMANDS  (1ull << 12)
#define STATUS_OVERFLOW   (1ull << 0)
#define STATUS_INTERRUPT  (1ull << 1)
#define STATUS_CLEARED    7ull /* by ones that are written */
#define STATUS_EVENTS     (1ull << 3)
#define STATUS_COMMANDS   (1ull << 4)

enum command { FINISH = 1, FORGET_DEVICE, FORGET_PAGES, FORGET_ENTRIES = 5, FORGET_ALL = 8 };

#define LOG_LEN        4096u
#define EVENT_ENTRY    1ull /* one of the device table that cannot be */
#define EVENT_FAULT    2ull
#define FLAG_INTERRUPT (1ull << 51)
#define FLAG_WRITE     (1ull << 53)
#define FLAG_RESERVED  (1ull << 55)

/* Of an entry of the device table, what may not be set without features that no unit here has. */
#define DMA_RESERVED0 (0x1ffull << 52 | 1ull << 63 | 0x1fcull)
#define DMA_RESERVED1 (~(0xffffull | 3ull << 33))
#define INT_RESERVED2 (0xfull << 52 | 1ull << 59)
#define ENTRY_SET     0xffff01u /* of an entry for an interrupt, to the core's only CPU */
#define DESTINATION   (FAKE_MESSAGE >> 12 & 0xff)

static struct unit {
    struct kept kept;
    bool firmwares;            /* not yet taken over: nothing is refused */
    unsigned stopping;         /* so many looks at the status until it has */
    uint64_t late[2], late_at; /* an event whose place is told already */
} units[FAKE_UNITS];

static const uint16_t ioapic = 0x00a0;

uint64_t fake_features = 1ull << 6; /* all can be forgotten at once */
bool fake_event_late, fake_keeps_absent;

static uint64_t reg(const struct unit *u, unsigned at)
{
    return fake_reg((unsigned)(u - units), at, 8);
}

static void reg_set(const struct unit *u, unsigned at, uint64_t value)
{
    fake_reg_set((unsigned)(u - units), at, 8, value);
}

static void store(uint64_t address, uint64_t value)
{
    memcpy((char *)fake_frame(address >> PAGE_SHIFT) + (address & PAGE_MASK), &value, 8);
}

/* ---- events ------------------------------------------------------------------------------ */

/* By the message of the unit's own function, as its configuration space has it. */
static void interrupt(const struct unit *u)
{
    const struct pci_function *f = &fake_function[FAKE_FUNCTIONS + (u - units)];
    unsigned at = FAKE_MSI_AT;

    if (!(reg(u, CONTROL) & CONTROL_INTERRUPT) || !(config_read(f, at + 2, 2) & 1))
        return;
    EXPECT(config_read(f, at + 4, 4) == FAKE_MESSAGE && config_read(f, at + 8, 4) == 0);
    EXPECT(config_read(f, at + 12, 2) == FAKE_VECTOR);
    fake_faults++;
}

static void late_store(struct unit *u)
{
    if (u->late_at != 0) {
        store(u->late_at, u->late[0]);
        store(u->late_at + 8, u->late[1]);
    }
    u->late_at = 0;
}

/* There is an interrupt when a bit of the status is set, and no other until it was cleared. */
static void event(struct unit *u, uint64_t low, uint64_t high)
{
    uint64_t status = reg(u, STATUS), tail = reg(u, EVENT_TAIL);
    uint64_t next = (tail + 16) % LOG_LEN;
    bool full = next == reg(u, EVENT_HEAD);
    uint64_t bit = full ? STATUS_OVERFLOW : STATUS_INTERRUPT;

    late_store(u);
    if (!(status & STATUS_EVENTS))
        return;
    reg_set(u, STATUS, (status | bit) & ~(full ? STATUS_EVENTS : 0));
    if (!full) {
        u->late_at = (reg(u, EVENTS) & KEPT_ADDRESS) + tail;
        u->late[0] = low, u->late[1] = high;
        if (!fake_event_late)
            late_store(u);
        reg_set(u, EVENT_TAIL, next);
    }
    if (!(status & bit))
        interrupt(u);
}

/* ---- what devices do ----------------------------------------------------------------------- */

static int64_t amdvi_dma(unsigned unit, uint16_t bdf, uint64_t address, bool write)
{
    struct unit *u = &units[unit];
    const struct kept_device *d;
    const struct kept_page *page = NULL;
    unsigned right = write ? KEPT_RIGHT_WRITE : KEPT_RIGHT_READ;
    uint64_t flags = write ? FLAG_WRITE : 0, code = EVENT_FAULT;
    bool reserved = false;

    if (u->firmwares || !(reg(u, CONTROL) & CONTROL_ON) || (reg(u, EXCLUSION) & 1))
        return (int64_t)address;
    d = kept_device(&u->kept, reg(u, DEVICES), bdf);
    if (d && !(d->word[0] & 1))
        return (int64_t)address; /* not valid: nothing is looked at */
    if (d && ((d->word[0] & DMA_RESERVED0) || (d->word[1] & DMA_RESERVED1))) {
        code = EVENT_ENTRY;
        reserved = true;
    } else if (d && (d->word[0] & 2) && (KEPT_RIGHTS(d->word[0]) & right)) {
        unsigned levels = (unsigned)(d->word[0] >> 9) & 7;

        if (levels == 0)
            return (int64_t)address; /* no tables: the entry's rights are for all */
        EXPECT(levels == 4);
        page = address >> 48 ? NULL : kept_page(&u->kept, d, address >> PAGE_SHIFT, &reserved);
    }
    if (page && (page->rights & right))
        return (int64_t)(page->mfn << PAGE_SHIFT | (address & PAGE_MASK));
    if (!d || !(d->word[1] >> 33 & 3))
        event(u, bdf | flags | (reserved ? FLAG_RESERVED : 0) | code << 60, address);
    return -1;
}

/* Messages of other kinds than fixed and arbitrated pass if a bit of the entry says so, SMIs do. */
static bool passes(const struct kept_device *d, unsigned kind)
{
    static const uint8_t bit[8] = {[4] = 58, [5] = 56, [7] = 57};

    return kind == 2 || (bit[kind] != 0 && (d->word[2] >> bit[kind] & 1));
}

/* What a message becomes: a vector; negative: it is blocked. */
static int remapped(struct unit *u, const struct kept_device *d, uint16_t bdf, uint32_t data)
{
    unsigned len = 1u << (d->word[2] >> 1 & 15), index = data & 0x7ff;
    uint32_t e;

    EXPECT(len <= 2048);
    if (index >= len)
        return -1;
    e = kept_entry(&u->kept, d->word[2], bdf, (uint16_t)index);
    if (!(e & 1))
        return -1;
    EXPECT((e & ~ENTRY_SET) == 0 && (e >> 8 & 0xff) == DESTINATION);
    return (int)(e >> 16 & 0xff);
}

static int amdvi_send(unsigned unit, uint16_t bdf, uint64_t address, uint32_t data)
{
    struct unit *u = &units[unit];
    const struct kept_device *d;
    unsigned kind = data >> 8 & 7, control;
    uint64_t code = EVENT_FAULT;
    int vector = -1;

    if (u->firmwares || !(reg(u, CONTROL) & CONTROL_ON))
        return (int)(data & 0xff);
    d = kept_device(&u->kept, reg(u, DEVICES), bdf);
    if (d && !(d->word[2] & 1))
        return (int)(data & 0xff); /* not valid: nothing is looked at */
    control = d ? (unsigned)(d->word[2] >> 60) & 3 : 0;
    if (d && ((d->word[2] & INT_RESERVED2) || d->word[3] || control == 3))
        code = EVENT_ENTRY;
    else if (d && (kind > 1 ? passes(d, kind) : control == 1))
        vector = (int)(data & 0xff);
    else if (d && kind <= 1 && control == 2)
        vector = remapped(u, d, bdf, data);
    if (vector < 0 && (!d || !(d->word[2] >> 5 & 1)))
        event(u, bdf | FLAG_INTERRUPT | code << 60, address | (data & 0x7ff) << 2);
    return vector;
}

/* ---- what units do by themselves ----------------------------------------------------------- */

static void prefetch_for(struct unit *u, uint16_t bdf)
{
    static const uint16_t pages[] = {0, 1, 3, 64, 65, 512, 515};
    const struct kept_device *d = kept_device(&u->kept, reg(u, DEVICES), bdf);
    bool reserved;

    for (unsigned p = 0; d && p < sizeof(pages) / sizeof(pages[0]); p++)
        if ((d->word[0] & 3) == 3 && KEPT_RIGHTS(d->word[0]) && (d->word[0] >> 9 & 7))
            (void)kept_page(&u->kept, d, pages[p], &reserved);
    for (uint16_t index = 0; d && index < 4; index++)
        if (d->word[2] >> 60 == 2)
            (void)kept_entry(&u->kept, d->word[2], bdf, index);
}

/* All that is not kept and could be read, for the functions behind it, is read now. */
static void prefetch(struct unit *u)
{
    if (u->firmwares || !(reg(u, CONTROL) & CONTROL_ON))
        return;
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        if (u == &units[fake_unit_of[i]])
            prefetch_for(u, fake_bdf[i]);
    if (u == &units[0])
        prefetch_for(u, ioapic);
}

static void stored(uint64_t *slot, uint64_t old, uint64_t value)
{
    (void)slot, (void)old, (void)value;
    for (unsigned i = 0; i < FAKE_UNITS; i++)
        prefetch(&units[i]);
}

/* ---- commands and registers ---------------------------------------------------------------- */

static void command(struct unit *u, uint64_t low, uint64_t high)
{
    uint16_t bdf = (uint16_t)low;

    switch (low >> 60) {
    case FINISH:
        EXPECT((low & 0x0ff0000000000006ull) == 0);
        if (low & 1)
            store(low & 0x000ffffffffffff8ull, high);
        return;
    case FORGET_DEVICE:
        EXPECT((low ^ bdf) == 2ull << 60 && high == 0);
        kept_forget_device(&u->kept, bdf);
        return;
    case FORGET_PAGES:
        EXPECT((low & ~(0xffffull << 32)) == 3ull << 60 && (high & 0xffc) == 0);
        kept_forget_pages(&u->kept, low >> 32 & 0xffff, high);
        return;
    case FORGET_ENTRIES:
        EXPECT((low ^ bdf) == 5ull << 60 && high == 0);
        kept_forget_entries(&u->kept, bdf);
        return;
    case FORGET_ALL:
        EXPECT(low == 8ull << 60 && high == 0 && (fake_features >> 6 & 1));
        kept_forget_all(&u->kept);
        return;
    default: EXPECT(false);
    }
}

static void commands_run(struct unit *u)
{
    uint64_t head = reg(u, COMMAND_HEAD), at = reg(u, COMMANDS) & KEPT_ADDRESS;

    for (; reg(u, STATUS) & STATUS_COMMANDS && head != reg(u, COMMAND_TAIL);
         head = (head + 16) % LOG_LEN) {
        prefetch(u);
        command(u, fake_word(at + head, true), fake_word(at + head + 8, true));
    }
    reg_set(u, COMMAND_HEAD, head);
}

/* What was switched off goes on for a while. A log that was full begins with the switch alone. */
static void control_set(struct unit *u, uint64_t value)
{
    uint64_t status = reg(u, STATUS), old = reg(u, CONTROL);
    bool on = value & CONTROL_ON;

    if (on && value & ~old & CONTROL_EVENTS && !(status & STATUS_OVERFLOW))
        status |= STATUS_EVENTS;
    if (on && value & CONTROL_COMMANDS)
        status |= STATUS_COMMANDS;
    u->stopping = !on && status & (STATUS_EVENTS | STATUS_COMMANDS) ? 3 : 0;
    u->firmwares = u->firmwares && on;
    u->kept.coherent = (value & CONTROL_COHERENT) != 0;
    reg_set(u, STATUS, status);
    reg_set(u, CONTROL, value);
    commands_run(u);
}

static void amdvi_look(unsigned unit, unsigned at)
{
    struct unit *u = &units[unit];

    if (at == STATUS && u->stopping && --u->stopping == 0)
        reg_set(u, STATUS, reg(u, STATUS) & ~(STATUS_EVENTS | STATUS_COMMANDS));
}

/* The place of a ring, of 256 entries as the core has it: head and tail are 0 again. */
static void ring_set(struct unit *u, unsigned at, uint64_t value, unsigned head, uint64_t runs)
{
    EXPECT(!(reg(u, STATUS) & runs) && (value & ~KEPT_ADDRESS) == 8ull << 56);
    reg_set(u, at, value);
    reg_set(u, head, 0);
    reg_set(u, head + 8, 0);
}

static void amdvi_write(unsigned unit, unsigned at, unsigned size, uint64_t value)
{
    struct unit *u = &units[unit];

    switch (at) {
    case DEVICES: EXPECT(size == 8 && !(value & 0xfff0000000000e00ull)); break;
    case COMMANDS: ring_set(u, at, value, COMMAND_HEAD, STATUS_COMMANDS); return;
    case EVENTS: ring_set(u, at, value, EVENT_HEAD, STATUS_EVENTS); return;
    case CONTROL: control_set(u, value); return;
    case STATUS: reg_set(u, at, reg(u, at) & ~(value & STATUS_CLEARED)); return;
    case COMMAND_TAIL:
        EXPECT(value < LOG_LEN && value % 16 == 0);
        reg_set(u, at, value);
        commands_run(u);
        return;
    case EVENT_HEAD: EXPECT(value < LOG_LEN && value % 16 == 0); break;
    case EXCLUSION: break;
    default: EXPECT(false);
    }
    reg_set(u, at, value);
}

/* ---- start -------------------------------------------------------------------------------- */

/* The second unit has 00:04.0 and all of the bus that is not the first, the first the others. */
static void machine_table(void)
{
    table_amd_begin();
    table_amd_unit(0x10, fake_function[FAKE_FUNCTIONS].bdf, FAKE_UNIT_BASE, 0);
    table_amd_entry(AMD_FROM, fake_bdf[0]);
    table_amd_entry(AMD_TO, FAKE_KEPT);
    table_amd_special(AMD_IOAPIC, 0, ioapic);
    table_amd_unit(0x10, fake_function[FAKE_FUNCTIONS + 1].bdf, FAKE_UNIT_BASE + FAKE_UNIT_LEN, 0);
    table_amd_entry(AMD_ONE, fake_bdf[1]);
    table_amd_entry(AMD_FROM, fake_bdf[2] & 0xff00);
    table_amd_entry(AMD_TO, fake_bdf[2] | 0xff);
    table_amd_memory(0x21, FAKE_KEPT, 0);
    ivrs_read(fake_table, fake_table_len);
    EXPECT(ivrs.usable && ivrs.unit_count == FAKE_UNITS);
}

/* Firmware lets every device reach everything, and what it had mapped is still kept. */
static void firmware_leaves(struct unit *u)
{
    memset(u, 0, sizeof(*u));
    u->firmwares = true;
    u->kept.absent = fake_keeps_absent;
    for (unsigned i = 0; i < KEPT_BDFS; i++)
        u->kept.device[i].known = true;
    for (unsigned i = 0; i < 12; i++)
        u->kept.page[i] = (struct kept_page){1 + i / 4, i % 4, FAKE_FIRST, 3, true};
    u->kept.entry[0] = (struct kept_entry){fake_bdf[u - units], 0, 1 | 0x66 << 16, true};
    reg_set(u, CONTROL, CONTROL_ON | CONTROL_COMMANDS | CONTROL_EVENTS);
    reg_set(u, STATUS, STATUS_COMMANDS | STATUS_EVENTS | STATUS_INTERRUPT | STATUS_OVERFLOW);
    reg_set(u, EXCLUSION, 3);
    reg_set(u, EXCLUSION_END, KEPT_ADDRESS);
    reg_set(u, FEATURES, fake_features);
}

static void amdvi_start(void)
{
    for (unsigned i = 0; i < FAKE_UNITS; i++)
        firmware_leaves(&units[i]);
    fake_on_table = stored;
    machine_table();
}

const struct fake_vendor fake_amdvi = {.start = amdvi_start,
                                       .look = amdvi_look,
                                       .write = amdvi_write,
                                       .dma = amdvi_dma,
                                       .send = amdvi_send};
