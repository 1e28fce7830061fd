/* ACPI tables: the few facts the core needs, checked for length and checksum before use. */
#include <arch/acpi.h>

#include "console/console.h"
#include "iommu/dmar.h"
#include "iommu/ivrs.h"
#include "mm/paging.h"

#define TABLE_MAX 0x400000u /* nobody's table is larger; a broken length is */
#define NAME_S5   "_S5_"

struct header { /* then what the signature says */
    char signature[4];
    uint32_t len;
    uint8_t revision, checksum;
    char oem[14], creator[12];
} __attribute__((packed));
_Static_assert(sizeof(struct header) == 36, "ACPI table header");

struct acpi acpi;

static bool sums_to_zero(const void *p, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
    return sum == 0;
}

/* A whole table at a physical address, or NULL with a logged line. */
static const struct header *table_at(uint64_t address)
{
    const struct header *t =
        (const void *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr) */
    uint64_t reach = paging_first_reach();

    if (address == 0 || address >= reach - TABLE_MAX) {
        console_log("ACPI: a table at %lx is out of reach", address);
        return NULL;
    }
    if (t->len < sizeof(*t) || t->len > TABLE_MAX || !sums_to_zero(t, t->len)) {
        console_log("ACPI: the table at %lx is damaged: not used", address);
        return NULL;
    }
    return t;
}

/* Looks for the package of sleep values by its name: the first two elements are all we need. */
static void read_sleep_type(const struct header *dsdt)
{
    const uint8_t *p = (const uint8_t *)dsdt, *end = p + dsdt->len;

    for (p += sizeof(*dsdt); p + 16 < end; p++) {
        if (memcmp(p, NAME_S5, 4) != 0 || p[4] != 0x12)
            continue;
        const uint8_t *e = p + 6 + (p[5] >> 6) + 1; /* length's further bytes, number of elements */
        for (unsigned i = 0; i < 2; i++) {
            if (e + 2 > end)
                return;
            if (*e == 0x0a)
                e++;
            acpi.sleep_type[i] = *e++ & 7;
        }
        acpi.has_sleep = true;
        return;
    }
}

static void read_fadt(const void *t, uint32_t len)
{
    if (len < 116)
        return;
    uint64_t flags = acpi_field(t, 112, 4), dsdt = acpi_field(t, 40, 4);
    acpi.sleep_port[0] = (uint16_t)acpi_field(t, 64, 4);
    acpi.sleep_port[1] = (uint16_t)acpi_field(t, 68, 4);
    acpi.pm_timer = acpi_field(t, 91, 1) == 4 ? (uint16_t)acpi_field(t, 76, 4) : 0;
    acpi.pm_timer_wide = flags >> 8 & 1;
    acpi.century = (uint8_t)acpi_field(t, 108, 1);
    if (flags >> 10 & 1 && len >= 129) {
        acpi.reset.in_memory = acpi_field(t, 116, 1) == 0;
        acpi.reset.address = acpi_field(t, 120, 8);
        acpi.reset_value = (uint8_t)acpi_field(t, 128, 1);
        acpi.has_reset = acpi_field(t, 116, 1) <= 1 && acpi.reset.address;
    }
    if (len >= 148 && acpi_field(t, 140, 8))
        dsdt = acpi_field(t, 140, 8);
    const struct header *d = dsdt ? table_at(dsdt) : NULL;
    if (d)
        read_sleep_type(d);
}

static void cpu_add(uint32_t apic_id, uint64_t flags)
{
    if (!(flags & 1))
        return;
    if (acpi.cpu_count < CPU_MAX)
        acpi.apic_id[acpi.cpu_count] = apic_id;
    acpi.cpu_count++;
}

static void read_override(const char *e)
{
    uint64_t flags = acpi_field(e, 8, 2), from = acpi_field(e, 3, 1);
    const struct acpi_line line = {(uint32_t)acpi_field(e, 4, 4), (flags >> 2 & 3) == 3,
                                   (flags & 3) == 3};

    if (from == 0)
        acpi.timer = line;
    else if (from == 4)
        acpi.uart = line;
}

static void read_madt(const void *t, uint32_t len)
{
    const char *e = (const char *)t + 44, *end = (const char *)t + len;

    if (len < 44)
        return;
    acpi.lapic = acpi_field(t, 36, 4);
    for (; e + 2 <= end; e += (uint8_t)e[1]) {
        size_t step = (uint8_t)e[1];
        if (step < 2 || e + step > end)
            break;
        if (e[0] == 0 && step >= 8)
            cpu_add((uint8_t)e[3], acpi_field(e, 4, 4));
        else if (e[0] == 1 && step >= 12 && acpi_field(e, 8, 4) == 0)
            acpi.ioapic = acpi_field(e, 4, 4), acpi.ioapic_id = (uint8_t)e[2];
        else if (e[0] == 2 && step >= 10)
            read_override(e);
        else if (e[0] == 5 && step >= 12)
            acpi.lapic = acpi_field(e, 4, 8);
        else if (e[0] == 9 && step >= 16)
            cpu_add((uint32_t)acpi_field(e, 4, 4), acpi_field(e, 8, 4));
    }
}

static void read_hpet(const void *t, uint32_t len)
{
    if (len >= 56 && acpi_field(t, 40, 1) == 0)
        acpi.hpet = acpi_field(t, 44, 8);
}

static void read_mcfg(const void *t, uint32_t len)
{
    for (size_t at = 44; at + 16 <= len; at += 16)
        if (acpi_field(t, at + 8, 2) == 0)
            acpi.ecam = (struct acpi_ecam){acpi_field(t, at, 8), (uint8_t)acpi_field(t, at + 10, 1),
                                           (uint8_t)acpi_field(t, at + 11, 1)};
}

static const struct reader {
    char signature[5];
    void (*read)(const void *table, uint32_t len);
} reader_table[] = {
    {"APIC", read_madt}, {"DMAR", dmar_read}, {"FACP", read_fadt},
    {"HPET", read_hpet}, {"IVRS", ivrs_read}, {"MCFG", read_mcfg},
};

void acpi_init(const uint8_t rsdp[36])
{
    acpi.uart.gsi = 4;
    if (!sums_to_zero(rsdp, 20)) {
        console_log("ACPI: the root pointer is missing or damaged");
        return;
    }
    bool wide = rsdp[15] >= 2 && acpi_field(rsdp, 24, 8) != 0;
    const struct header *root = table_at(wide ? acpi_field(rsdp, 24, 8) : acpi_field(rsdp, 16, 4));
    size_t step = wide ? 8 : 4;

    for (size_t at = sizeof(*root); root && at + step <= root->len; at += step) {
        const struct header *t = table_at(acpi_field(root, at, step));
        if (!t)
            continue;
        for (size_t i = 0; i < sizeof(reader_table) / sizeof(reader_table[0]); i++)
            if (memcmp(t->signature, reader_table[i].signature, 4) == 0)
                reader_table[i].read(t, t->len);
    }
}
