/* The host's local APIC and IO-APIC. */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include <stdint.h>

struct acpi_line;
struct iommu_message;

void apic_init(uint64_t address); /* this CPU's; address of the page where x2APIC is not there */
uint32_t apic_id(void);
void apic_eoi(void);
void apic_send(uint32_t apic_id, unsigned vector);

/* The one-shot timer, at the rate of its bus clock; 0 stops it. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);

/* Finds the IO-APIC and closes all its pins; then a line's interrupt becomes a message. */
void ioapic_init(uint64_t address);
void ioapic_route(const struct acpi_line *line, struct iommu_message message);

#endif
