#include <arch/acpi.h>

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "iommu/dmar.h"
#include "iommu/ivrs.h"
#include "mm/paging.h"

/* Tables lie in this program's own memory. */
uint64_t paging_first_reach(void)
{
    return UINT64_MAX;
}

/* The tables of IOMMUs are handed on. */
static struct handed {
    const void *table;
    uint32_t len;
} dmar_table, ivrs_table;

void dmar_read(const void *table, uint32_t len)
{
    dmar_table = (struct handed){table, len};
}

void ivrs_read(const void *table, uint32_t len)
{
    ivrs_table = (struct handed){table, len};
}

static uint8_t units[64], units_amd[80];
static uint8_t rsdp[36], root[128], madt[256], fadt[160], dsdt[128], hpet[56], mcfg[76];
static unsigned root_len;

static void put(void *table, size_t offset, uint64_t value, size_t size)
{
    memcpy((uint8_t *)table + offset, &value, size);
}

static void seal(uint8_t *table, const char *signature, uint32_t len)
{
    uint8_t sum = 0;

    memcpy(table, signature, 4);
    put(table, 4, len, 4);
    table[9] = 0;
    for (uint32_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

static void list(const void *table)
{
    put(root, root_len, (uintptr_t)table, 8);
    root_len += 8;
}

static void madt_entry(unsigned *at, const uint8_t *bytes)
{
    memcpy(madt + *at, bytes, bytes[1]);
    *at += bytes[1];
}

static void make_madt(void)
{
    unsigned at = 44;

    memset(madt, 0, sizeof(madt));
    put(madt, 36, 0xfee00000, 4);
    madt_entry(&at, (const uint8_t[]){0, 8, 0, 3, 1, 0, 0, 0});
    madt_entry(&at, (const uint8_t[]){0, 8, 1, 7, 0, 0, 0, 0}); /* not there */
    madt_entry(&at, (const uint8_t[]){9, 16, 0, 0, 0x11, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
    madt_entry(&at, (const uint8_t[]){1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0});
    madt_entry(&at, (const uint8_t[]){1, 12, 1, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0});
    madt_entry(&at, (const uint8_t[]){2, 10, 0, 4, 9, 0, 0, 0, 0xf, 0});
    seal(madt, "APIC", at);
}

static void make_fadt(void)
{
    memset(fadt, 0, sizeof(fadt));
    memset(dsdt, 0, sizeof(dsdt));
    put(fadt, 64, 0x604, 4);
    put(fadt, 76, 0x608, 4);
    put(fadt, 91, 4, 1);
    put(fadt, 108, 0x32, 1);
    put(fadt, 112, 1u << 10, 4);
    put(fadt, 116, 1, 1);
    put(fadt, 120, 0xcf9, 8);
    put(fadt, 128, 0xf, 1);
    put(fadt, 140, (uintptr_t)dsdt, 8);
    memcpy(dsdt + 50, "\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00", 13);
    seal(dsdt, "DSDT", sizeof(dsdt));
    seal(fadt, "FACP", sizeof(fadt));
}

static void start(void)
{
    uint8_t sum = 0;

    memset(&acpi, 0, sizeof(acpi));
    memset(root, 0, sizeof(root));
    root_len = 36;
    make_madt();
    make_fadt();
    put(hpet, 44, 0xfed00000, 8);
    seal(hpet, "HPET", sizeof(hpet));
    put(mcfg, 44, 0x5000000, 8);
    put(mcfg, 52, 1, 2); /* another segment */
    put(mcfg, 60, 0xb0000000, 8);
    put(mcfg, 71, 0xff, 1);
    seal(mcfg, "MCFG", sizeof(mcfg));
    list(madt);
    list(fadt);
    list(hpet);
    list(mcfg);
    seal(units, "DMAR", sizeof(units));
    list(units);
    seal(units_amd, "IVRS", sizeof(units_amd));
    list(units_amd);
    dmar_table = ivrs_table = (struct handed){NULL, 0};
    seal(root, "XSDT", root_len);
    memset(rsdp, 0, sizeof(rsdp));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = 2;
    put(rsdp, 24, (uintptr_t)root, 8);
    for (unsigned i = 0; i < 20; i++)
        sum = (uint8_t)(sum + rsdp[i]);
    rsdp[8] = (uint8_t)-sum;
}

TEST(a_whole_machine)
{
    start();
    acpi_init(rsdp);
    EXPECT(acpi.lapic == 0xfee00000 && acpi.ioapic == 0xfec00000);
    EXPECT(acpi.cpu_count == 2 && acpi.apic_id[0] == 3 && acpi.apic_id[1] == 0x111);
    EXPECT(acpi.uart.gsi == 9 && acpi.uart.level && acpi.uart.low);
    EXPECT(acpi.pm_timer == 0x608 && !acpi.pm_timer_wide && acpi.century == 0x32);
    EXPECT(acpi.has_sleep && acpi.sleep_type[0] == 5 && acpi.sleep_type[1] == 1);
    EXPECT(acpi.sleep_port[0] == 0x604 && acpi.sleep_port[1] == 0);
    EXPECT(acpi.has_reset && !acpi.reset.in_memory && acpi.reset.address == 0xcf9);
    EXPECT(acpi.hpet == 0xfed00000);
    EXPECT(acpi.ioapic_id == 0);
    EXPECT(dmar_table.table == units && dmar_table.len == sizeof(units));
    EXPECT(ivrs_table.table == units_amd && ivrs_table.len == sizeof(units_amd));
    EXPECT(acpi.ecam.base == 0xb0000000 && acpi.ecam.last_bus == 255);
}

TEST(damaged_tables_are_skipped_and_said)
{
    start();
    madt[40]++;
    put(hpet, 4, 0xfffffff0, 4);
    fake_uart_sent();
    acpi_init(rsdp);
    EXPECT(strstr(fake_uart_sent(), "damaged") != NULL);
    EXPECT(acpi.cpu_count == 0 && acpi.hpet == 0);
    EXPECT(acpi.pm_timer == 0x608);
    EXPECT(acpi.uart.gsi == 4);
}

TEST(no_root)
{
    start();
    rsdp[10]++;
    fake_uart_sent();
    acpi_init(rsdp);
    EXPECT(strstr(fake_uart_sent(), "root pointer") != NULL && acpi.lapic == 0);
}

/* Every length of an entry, and tables cut anywhere. */
TEST(short_tables)
{
    for (unsigned len = 0; len < 256; len++) {
        start();
        madt[45] = (uint8_t)len;
        seal(madt, "APIC", 44 + 8 + 8);
        acpi_init(rsdp);
    }
    for (uint32_t len = 36; len < 160; len++) {
        start();
        seal(fadt, "FACP", len);
        seal(madt, "APIC", len);
        if (len <= sizeof(dsdt))
            seal(dsdt, "DSDT", len);
        acpi_init(rsdp);
    }
}
