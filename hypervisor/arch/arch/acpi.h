/* What the firmware's tables say about the machine, read once at start. */
#pragma once

#include <arch/cpu.h>

#include "util/string.h"

/* Configuration space of PCI segment 0 in memory: 1 MiB for each bus. */
struct acpi_ecam {
    uint64_t base; /* of bus 0; 0: none */
    uint8_t first_bus, last_bus;
};

struct acpi_register {
    bool in_memory; /* otherwise a port */
    uint64_t address;
};

/* Where an interrupt of the ISA bus arrives at the I/O APIC, and how. */
struct acpi_line {
    uint32_t gsi;
    bool level, low;
};

struct acpi {
    uint64_t lapic;     /* physical address of the local APICs' page */
    unsigned cpu_count; /* usable ones; the first CPU_MAX are listed */
    uint32_t apic_id[CPU_MAX];
    uint64_t ioapic; /* the one that has global interrupt 0; 0: none */
    uint8_t ioapic_id;
    struct acpi_line timer, uart; /* ISA interrupts 0 and 4 */
    uint64_t hpet;                /* 0: none */
    uint16_t pm_timer;            /* port, 0: none */
    bool pm_timer_wide;           /* 32 bits, not 24 */
    uint8_t century;              /* RTC register, 0: none */
    uint16_t sleep_port[2];       /* PM1a and PM1b control, 0: none */
    bool has_sleep;               /* the values for S5 were found */
    uint8_t sleep_type[2];
    bool has_reset;
    struct acpi_register reset;
    uint8_t reset_value;
    struct acpi_ecam ecam;
};

extern struct acpi acpi;

/* A number of size bytes at an offset of a table. */
static inline uint64_t acpi_field(const void *table, size_t offset, size_t size)
{
    uint64_t v = 0;

    memcpy(&v, (const char *)table + offset, size);
    return v;
}

/* Reads the tables through the first page tables. Logs what is damaged; never fails. */
void acpi_init(const uint8_t rsdp[36]);
