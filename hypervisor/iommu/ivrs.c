/* Reads the IVRS table: AMD I/O Virtualization Technology specification, section 5.2. */
#include "iommu/ivrs.h"

#include <arch/acpi.h>

#include "console/console.h"

#define BLOCKS_AT   48u
#define SEGMENT_AT  16u
#define LATER_EXTRA 16u /* bytes that later kinds of unit blocks have before the entries */
#define MEMORY_LEN  32u

enum block {
    BLOCK_UNIT = 0x10, /* the same units once more, in later kinds: the latest counts */
    BLOCK_UNIT_EXTENDED = 0x11,
    BLOCK_MEMORY_ALL = 0x20,
    BLOCK_MEMORY = 0x21,
    BLOCK_MEMORY_RANGE = 0x22,
    BLOCK_UNIT_NAMED = 0x40
};

enum entry {
    ENTRY_ALL = 1,
    ENTRY_ONE = 2,
    ENTRY_FROM = 3,
    ENTRY_TO = 4,
    ENTRY_ONE_ALIASED = 0x42,
    ENTRY_FROM_ALIASED = 0x43,
    ENTRY_ONE_EXTENDED = 0x46,
    ENTRY_FROM_EXTENDED = 0x47,
    ENTRY_SPECIAL = 0x48,
    ENTRY_ACPI = 0xf0 /* its length lies in it */
};
#define SPECIAL_IOAPIC 1u
#define ACPI_LEN_AT    21u

/* Functions, and what is said of them. */
struct range {
    uint8_t unit; /* or one of: */
    uint16_t first, last;
};
#define ALIASED  0xfeu
#define FIRMWARE 0xffu

#define RANGES   128u
#define NO_RANGE UINT64_MAX /* none has begun */

struct ivrs ivrs;
static struct range ranges[RANGES];
static unsigned range_count;

/* ---- reading ------------------------------------------------------------------------- */

static bool range_add(unsigned unit, uint64_t first, uint64_t last)
{
    if (range_count == RANGES || last < first)
        return false;
    ranges[range_count++] = (struct range){(uint8_t)unit, (uint16_t)first, (uint16_t)last};
    return true;
}

static size_t entry_len(const uint8_t *p, size_t len)
{
    if (p[0] == ENTRY_ACPI)
        return len > ACPI_LEN_AT ? ACPI_LEN_AT + 1u + p[ACPI_LEN_AT] : 0;
    return (size_t)4 << (p[0] >> 6);
}

/* What is said of a range's first function holds for all of it. */
static bool entries_add(unsigned unit, const uint8_t *p, size_t len)
{
    uint64_t first = NO_RANGE;
    bool aliased = false;

    for (size_t step; len > 0; p += step, len -= step) {
        bool good = true;

        step = entry_len(p, len);
        if (step == 0 || step > len)
            return false;
        uint64_t bdf = acpi_field(p, 1, 2);
        switch (p[0]) {
        case ENTRY_ALL: good = range_add(unit, 0, UINT16_MAX); break;
        case ENTRY_ONE:
        case ENTRY_ONE_EXTENDED: good = range_add(unit, bdf, bdf); break;
        case ENTRY_ONE_ALIASED: good = range_add(ALIASED, bdf, bdf); break;
        case ENTRY_FROM:
        case ENTRY_FROM_EXTENDED:
        case ENTRY_FROM_ALIASED:
            first = bdf;
            aliased = p[0] == ENTRY_FROM_ALIASED;
            break;
        case ENTRY_TO:
            good = range_add(aliased ? ALIASED : unit, first, bdf);
            first = NO_RANGE;
            break;
        case ENTRY_SPECIAL:
            if (p[7] != SPECIAL_IOAPIC)
                break;
            bdf = acpi_field(p, 5, 2);
            ivrs.ioapic[p[4]] = (uint16_t)bdf;
            good = range_add(unit, bdf, bdf);
            break;
        default: break; /* of devices without a PCI name, and padding */
        }
        if (!good)
            return false;
    }
    return first == NO_RANGE;
}

static bool unit_add(const uint8_t *p, size_t len)
{
    size_t at = 24 + (p[0] == BLOCK_UNIT ? 0 : LATER_EXTRA);

    if (ivrs.unit_count == IVRS_UNITS || len < at || acpi_field(p, SEGMENT_AT, 2) != 0)
        return false;
    ivrs.unit[ivrs.unit_count] = (struct ivrs_unit){.base = acpi_field(p, 8, 8),
                                                    .bdf = (uint16_t)acpi_field(p, 4, 2),
                                                    .capability = p[6] & 0xfc,
                                                    .flags = p[1]};
    return entries_add(ivrs.unit_count++, p + at, len - at);
}

static bool memory_add(const uint8_t *p, size_t len)
{
    uint64_t first = acpi_field(p, 4, 2);

    if (len < MEMORY_LEN)
        return false;
    if (p[0] == BLOCK_MEMORY_ALL)
        return range_add(FIRMWARE, 0, UINT16_MAX);
    return range_add(FIRMWARE, first, p[0] == BLOCK_MEMORY ? first : acpi_field(p, 6, 2));
}

static bool block_add(const uint8_t *p, size_t len, unsigned kind)
{
    if (p[0] == kind)
        return unit_add(p, len);
    return p[0] < BLOCK_MEMORY_ALL || p[0] > BLOCK_MEMORY_RANGE || memory_add(p, len);
}

/* Which kind of unit blocks to read: the latest, if all units have it. 0: the table is damaged. */
static unsigned latest_kind(const uint8_t *p, size_t len)
{
    unsigned kind = 0, count[BLOCK_UNIT_NAMED + 1] = {0};

    for (size_t at = BLOCKS_AT, step; at < len; at += step) {
        step = len - at >= 4 ? acpi_field(p, at + 2, 2) : 0;
        if (step < 8 || step > len - at)
            return 0;
        if (p[at] != BLOCK_UNIT && p[at] != BLOCK_UNIT_EXTENDED && p[at] != BLOCK_UNIT_NAMED)
            continue;
        count[p[at]]++;
        kind = p[at] > kind ? p[at] : kind;
    }
    return count[kind] < count[BLOCK_UNIT] || count[kind] < count[BLOCK_UNIT_EXTENDED] ? 0 : kind;
}

void ivrs_read(const void *table, uint32_t len)
{
    const uint8_t *p = table;
    unsigned kind = latest_kind(p, len);

    ivrs = (struct ivrs){.usable = kind != 0};
    range_count = 0;
    for (size_t at = BLOCKS_AT; ivrs.usable && at < len; at += acpi_field(p, at + 2, 2))
        ivrs.usable = block_add(p + at, acpi_field(p, at + 2, 2), kind);
    if (!ivrs.usable)
        console_log("IOMMU: the firmware's table cannot be used");
}

/* ---- asking ---------------------------------------------------------------------------- */

static bool is_in(const struct range *r, uint16_t bdf)
{
    return bdf >= r->first && bdf <= r->last;
}

int ivrs_unit_of(uint16_t bdf)
{
    for (unsigned i = range_count; i-- > 0;) /* a later one overrides "all" */
        if (ranges[i].unit < IVRS_UNITS && is_in(&ranges[i], bdf))
            return ranges[i].unit;
    return -1;
}

const char *ivrs_refusal(uint16_t bdf)
{
    for (unsigned i = 0; i < range_count; i++) {
        if (ranges[i].unit == FIRMWARE && is_in(&ranges[i], bdf))
            return "firmware has it use memory of its own";
        if (ranges[i].unit == ALIASED && is_in(&ranges[i], bdf))
            return "its requests carry another function's name";
    }
    for (unsigned id = 0; id < 256; id++)
        if (ivrs.ioapic[id] == bdf && bdf != 0)
            return "the I/O APIC's interrupts carry its name";
    return ivrs_unit_of(bdf) < 0 ? "no unit contains it" : NULL;
}
