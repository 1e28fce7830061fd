/* The IO-APIC: used for the UART and the heartbeat. */
#include <arch/apic.h>

#include <arch/acpi.h>

#include "iommu/iommu.h"
#include "mm/paging.h"
#include "util/check.h"

#define SELECT   0 /* registers, in 32-bit words */
#define DATA     4
#define PAGE_LEN 0x40u

#define REG_VERSION  1u
#define REG_REDIRECT 0x10u
#define ROUTE_MASKED (1u << 16)
#define ROUTE_LEVEL  (1u << 15)
#define ROUTE_LOW    (1u << 13)

static volatile uint32_t *page;
static uint32_t pins;

static uint32_t reg_read(uint32_t reg)
{
    page[SELECT] = reg;
    return page[DATA];
}

static void reg_write(uint32_t reg, uint32_t v)
{
    page[SELECT] = reg;
    page[DATA] = v;
}

void ioapic_init(uint64_t address)
{
    page = paging_map_device((hpa_t){address}, PAGE_LEN);
    CHECK(page);
    pins = (reg_read(REG_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t pin = 0; pin < pins; pin++)
        reg_write(REG_REDIRECT + 2 * pin, ROUTE_MASKED);
}

void ioapic_route(const struct acpi_line *line, struct iommu_message message)
{
    if (line->gsi >= pins)
        return;
    /* The bits of a message's address that say where to stand in the upper half. */
    reg_write(REG_REDIRECT + 2 * line->gsi + 1, (uint32_t)(message.address >> 4) << 16);
    reg_write(REG_REDIRECT + 2 * line->gsi,
              message.data | (line->level ? ROUTE_LEVEL : 0u) | (line->low ? ROUTE_LOW : 0u));
}
