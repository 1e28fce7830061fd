/* Reads the DMAR table: VT-d specification, chapter 8. */
#include "iommu/dmar.h"

#include <arch/acpi.h>

#include "console/console.h"
#include "pci/function.h"

#define FLAGS_AT        37u
#define STRUCTURES_AT   48u
#define INTERRUPT_REMAP (1u << 0) /* of the flags: the platform can */
#define UNIT_IS_REST    (1u << 0)
#define UNIT_AT         16u /* where the scopes begin */
#define REGION_AT       24u
#define SCOPE_AT        6u /* where the path begins */

#define SCOPES 128u
#define HOPS   8u
#define REGION 0xffu /* in place of a unit's index: memory that firmware uses */

enum structure { STRUCTURE_UNIT, STRUCTURE_REGION };
enum scope_type { SCOPE_FUNCTION = 1, SCOPE_BRIDGE, SCOPE_IOAPIC };

/* A function, or all behind a bridge: by the devices and functions passed from a bus on. */
struct scope {
    uint8_t unit;
    uint8_t type, id, bus;
    uint8_t hops;
    uint8_t devfn[HOPS];
};

struct dmar dmar;
static struct scope scopes[SCOPES];
static unsigned scope_count;

/* ---- reading ------------------------------------------------------------------------- */

static bool scopes_add(uint8_t unit, const uint8_t *p, size_t len)
{
    for (size_t step; len > 0; p += step, len -= step) {
        struct scope *s = &scopes[scope_count];

        step = len >= 2 ? p[1] : 0;
        if (step < SCOPE_AT + 2 || step > len || (step - SCOPE_AT) / 2 > HOPS ||
            scope_count == SCOPES)
            return false;
        *s = (struct scope){unit, p[0], p[4], p[5], (uint8_t)((step - SCOPE_AT) / 2), {0}};
        for (unsigned i = 0; i < s->hops; i++)
            s->devfn[i] = (uint8_t)(p[SCOPE_AT + 2 * i] << 3 | (p[SCOPE_AT + 2 * i + 1] & 7));
        scope_count++;
    }
    return true;
}

static bool structure_add(const uint8_t *p, size_t len)
{
    uint64_t type = acpi_field(p, 0, 2);

    if (type == STRUCTURE_UNIT) {
        if (dmar.unit_count == DMAR_UNITS || len < UNIT_AT || acpi_field(p, 6, 2) != 0)
            return false;
        dmar.unit[dmar.unit_count] =
            (struct dmar_unit){.base = acpi_field(p, 8, 8), .rest = (p[4] & UNIT_IS_REST) != 0};
        return scopes_add((uint8_t)dmar.unit_count++, p + UNIT_AT, len - UNIT_AT);
    }
    if (type == STRUCTURE_REGION && len >= REGION_AT && acpi_field(p, 6, 2) == 0)
        return scopes_add(REGION, p + REGION_AT, len - REGION_AT);
    return type != STRUCTURE_REGION || len >= REGION_AT;
}

void dmar_read(const void *table, uint32_t len)
{
    const uint8_t *p = table;

    dmar = (struct dmar){.usable = len >= STRUCTURES_AT && (p[FLAGS_AT] & INTERRUPT_REMAP)};
    scope_count = 0;
    for (size_t at = STRUCTURES_AT, step; dmar.usable && at < len; at += step) {
        step = len - at >= 4 ? acpi_field(p, at + 2, 2) : 0;
        dmar.usable = step >= 4 && step <= len - at && structure_add(p + at, step);
    }
    dmar.usable = dmar.usable && dmar.unit_count > 0;
    if (!dmar.usable)
        console_log("IOMMU: the firmware's table cannot be used");
}

/* ---- asking ---------------------------------------------------------------------------- */

/* The buses behind a bridge, as firmware numbered them: the first, and the last << 8; 0: none. */
static unsigned bridge_buses(uint16_t bdf)
{
    volatile uint8_t *bus = config_bus(bdf >> 8);
    volatile uint8_t *config = bus ? bus + (size_t)(bdf & 0xff) * PAGE_SIZE : NULL;

    if (!config || (device_read(config + CONFIG_HEADER, 4) >> 16 & 0x7f) != HEADER_BRIDGE)
        return 0;
    return (unsigned)device_read(config + CONFIG_BUSES, 4) >> 8 & 0xffff;
}

/* The function that a path leads to; negative: to none. */
static int scope_end(const struct scope *s)
{
    unsigned bus = s->bus;

    for (unsigned i = 0; i + 1 < s->hops; i++) {
        bus = bridge_buses((uint16_t)(bus << 8 | s->devfn[i])) & 0xff;
        if (bus == 0)
            return -1;
    }
    return (int)(bus << 8 | s->devfn[s->hops - 1]);
}

static bool scope_has(const struct scope *s, uint16_t bdf)
{
    int end = scope_end(s);
    unsigned buses;

    if (end < 0 || (s->type != SCOPE_FUNCTION && s->type != SCOPE_BRIDGE))
        return false;
    if (end == bdf || s->type == SCOPE_FUNCTION)
        return end == bdf;
    buses = bridge_buses((uint16_t)end);
    return buses != 0 && bdf >> 8 >= (buses & 0xff) && bdf >> 8 <= buses >> 8;
}

int dmar_unit_of(uint16_t bdf)
{
    int rest = -1;

    for (unsigned i = 0; i < scope_count; i++)
        if (scopes[i].unit != REGION && scope_has(&scopes[i], bdf))
            return scopes[i].unit;
    for (unsigned i = 0; i < dmar.unit_count; i++)
        if (dmar.unit[i].rest)
            rest = (int)i;
    return rest;
}

const char *dmar_refusal(uint16_t bdf)
{
    for (unsigned i = 0; i < scope_count; i++)
        if (scopes[i].unit == REGION && scope_has(&scopes[i], bdf))
            return "firmware has it use memory of its own";
    return dmar_unit_of(bdf) < 0 ? "no unit contains it" : NULL;
}

uint16_t dmar_ioapic(uint8_t id)
{
    for (unsigned i = 0; i < scope_count; i++)
        if (scopes[i].type == SCOPE_IOAPIC && scopes[i].id == id && scopes[i].unit != REGION)
            return (uint16_t)scope_end(&scopes[i]);
    console_log("IOMMU: no unit names the I/O APIC: what is typed does not arrive");
    return 0;
}
