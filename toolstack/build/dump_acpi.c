/* Writes each table of a domain with devices to a file of its own: FACP.dat, APIC.dat ... */
#include "acpi.h"

#include <stdio.h>
#include <string.h>

#define BASE 0xfc000000u

static uint8_t bytes[ACPI_LEN_MAX];

static uint64_t number(const uint8_t *at, size_t len)
{
    uint64_t v = 0;

    memcpy(&v, at, len); /* little-endian, like us */
    return v;
}

static int write_table(uint64_t gpa)
{
    const uint8_t *at = bytes + (gpa - BASE);
    char name[16];
    FILE *f;

    (void)snprintf(name, sizeof(name), "%.4s.dat", (const char *)at);
    f = fopen(name, "wb");
    if (!f)
        return 1;
    if (fwrite(at, 1, number(at + 4, 4), f) != number(at + 4, 4))
        perror(name);
    return fclose(f);
}

int main(void)
{
    struct acpi_request request = {.vcpus = 2, .has_devices = 1};
    const uint8_t *xsdt;
    int bad = 0;

    if (acpi_write(&request, BASE, bytes) < 0)
        return 1;
    xsdt = bytes + (number(bytes + 24, 8) - BASE);
    for (size_t i = 36; i < number(xsdt + 4, 4); i += 8)
        bad |= write_table(number(xsdt + i, 8));
    /* The FADT stands first and names the DSDT. */
    bad |= write_table(number(bytes + (number(xsdt + 36, 8) - BASE) + 140, 8));
    return bad;
}
