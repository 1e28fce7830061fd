/* The host's local APIC and IO-APIC. */
#pragma once

#include <stdint.h>

struct acpi_line;
struct iommu_message;

/* Registers by their offset in the page; in x2APIC mode MSR_X2APIC + offset / 16. */
enum {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT = 0x320, /* timer, thermal, performance, LINT0, LINT1, error */
    APIC_LVT_LAST = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
    APIC_SELF_IPI = 0x3f0
};

#define APIC_BASE_BSP    (1ull << 8)
#define APIC_BASE_X2APIC (1ull << 10)
#define APIC_BASE_ENABLE (1ull << 11)
#define APIC_SVR_ENABLE  (1u << 8)
#define APIC_MASKED      (1u << 16) /* of LVT entries */

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
