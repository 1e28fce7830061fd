/* The ACPI tables of a domain: as few as a stock kernel needs, checksums included. */
#ifndef BUILD_ACPI_H
#define BUILD_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* xAPIC ids are one byte, and 255 means everyone. */
#define ACPI_VCPU_MAX 254

/* Room that is enough for any domain. */
#define ACPI_LEN_MAX 4096

struct acpi_request {
    unsigned vcpus;  /* 1 to ACPI_VCPU_MAX */
    int has_devices; /* describe a PCI host bridge */
};

/*
 * Writes the tables as they shall lie from guest-physical address `base` (a
 * multiple of 64) on; the RSDP comes first. Returns how many bytes they take,
 * or -EINVAL.
 */
int acpi_write(const struct acpi_request *request, uint64_t base, uint8_t bytes[ACPI_LEN_MAX])
    __attribute__((warn_unused_result));

#endif
