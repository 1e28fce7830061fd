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
    return (uint32_t)device_read(f->config + offset, size);
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    device_write(f->config + offset, size, value);
}
