/* The tables of a domain: checksums, links between them, and what they say. */
#include "acpi.h"

#include <string.h>

#include <abi/layout.h>
#include <check.h>

#define BASE LAYOUT_ACPI_BASE

static uint8_t bytes[ACPI_LEN_MAX];

static uint32_t word(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static const uint8_t *address(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
    EXPECT(v > BASE && v < BASE + ACPI_LEN_MAX);
    return bytes + (v - BASE);
}

static bool is_zero_sum(const uint8_t *at, size_t len)
{
    unsigned sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += at[i];
    return sum % 256 == 0;
}

/* The XSDT's index-th table; NULL past the last. */
static const uint8_t *table(unsigned index)
{
    const uint8_t *xsdt = address(bytes + 24);
    const uint8_t *at;

    EXPECT(memcmp(xsdt, "XSDT", 4) == 0 && is_zero_sum(xsdt, word(xsdt + 4)));
    if (36 + index * 8 >= word(xsdt + 4))
        return NULL;
    at = address(xsdt + 36 + (size_t)index * 8);
    EXPECT(is_zero_sum(at, word(at + 4)));
    return at;
}

TEST(guest_without_devices)
{
    struct acpi_request r = {.vcpus = 3};
    int len = acpi_write(&r, BASE, bytes);
    const uint8_t *fadt;
    const uint8_t *madt;
    const uint8_t *dsdt;

    EXPECT(len > 0 && len < ACPI_LEN_MAX);
    EXPECT(memcmp(bytes, "RSD PTR ", 8) == 0);
    EXPECT(is_zero_sum(bytes, 20) && is_zero_sum(bytes, 36));
    fadt = table(0);
    madt = table(1);
    EXPECT(table(2) == NULL);
    EXPECT(memcmp(fadt, "FACP", 4) == 0 && word(fadt + 4) == 268);
    EXPECT(fadt[109] == 0x34); /* no VGA, no ASPM, no CMOS; MSI is allowed, no 8042 */
    EXPECT((word(fadt + 112) & (1u << 20)) == 0); /* not the reduced hardware */
    EXPECT(word(fadt + 76) == 0);                 /* no timer, whose port would read all ones */
    EXPECT(memcmp(address(fadt + 140), "DSDT", 4) == 0);
    EXPECT(word(fadt + 40) == BASE + (uint64_t)(address(fadt + 140) - bytes));
    EXPECT(memcmp(bytes + (word(fadt + 36) - BASE), "FACS", 4) == 0);
    EXPECT(word(fadt + 36) % 64 == 0);
    dsdt = address(fadt + 140);
    EXPECT(word(dsdt + 4) == 36 && is_zero_sum(dsdt, 36));
    EXPECT(memcmp(madt, "APIC", 4) == 0 && word(madt + 4) == 44 + 3 * 8);
    EXPECT(word(madt + 36) == LAYOUT_LAPIC_BASE && word(madt + 40) == 0);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *entry = madt + 44 + (size_t)i * 8;

        EXPECT(entry[0] == 0 && entry[1] == 8 && entry[2] == i && entry[3] == i);
        EXPECT(word(entry + 4) == 1);
    }
}

TEST(domain_with_devices)
{
    struct acpi_request r = {.vcpus = ACPI_VCPU_MAX, .has_devices = 1};
    int len = acpi_write(&r, BASE, bytes);
    const uint8_t *mcfg;
    const uint8_t *dsdt;

    EXPECT(len > 0 && len <= ACPI_LEN_MAX);
    mcfg = table(2);
    EXPECT(mcfg && memcmp(mcfg, "MCFG", 4) == 0 && word(mcfg + 4) == 60);
    EXPECT(word(mcfg + 44) == LAYOUT_ECAM_BASE && mcfg[54] == 0 && mcfg[55] == 255);
    dsdt = address(table(0) + 140);
    EXPECT(is_zero_sum(dsdt, word(dsdt + 4)) && word(dsdt + 4) > 36);
}

TEST(bad_requests)
{
    struct acpi_request r = {.vcpus = 0};

    EXPECT(acpi_write(&r, BASE, bytes) < 0);
    r.vcpus = ACPI_VCPU_MAX + 1;
    EXPECT(acpi_write(&r, BASE, bytes) < 0);
    r.vcpus = 1;
    EXPECT(acpi_write(&r, BASE + 4, bytes) < 0);
}
