/* Configuration space of the machine: in memory, as MCFG says. */
#include "pci/function.h"

#include <arch/acpi.h>

#include "mm/paging.h"

#define BUS_BYTES (1u << 20)

volatile uint8_t *config_bus(unsigned number)
{
    if (acpi.ecam.base == 0 || number < acpi.ecam.first_bus || number > acpi.ecam.last_bus)
        return NULL;
    return paging_map_device((hpa_t){acpi.ecam.base + (uint64_t)number * BUS_BYTES}, BUS_BYTES);
}

uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size)
{
    const volatile uint8_t *at = f->config + offset;

    switch (size) {
    case 1: return *at;
    case 2: return *(const volatile uint16_t *)(const volatile void *)at;
    default: return *(const volatile uint32_t *)(const volatile void *)at;
    }
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    volatile uint8_t *at = f->config + offset;

    switch (size) {
    case 1: *at = (uint8_t)value; return;
    case 2: *(volatile uint16_t *)(volatile void *)at = (uint16_t)value; return;
    default: *(volatile uint32_t *)(volatile void *)at = value; return;
    }
}
