/* Configuration space of the machine: in memory, as MCFG says. */
#include "pci/function.h"

#include <arch/acpi.h>

#include "mm/paging.h"

#define BUS_BYTES (1u << 20)

volatile uint8_t *config_bus(unsigned number)
{
    static volatile uint8_t *bus[256]; /* as mapped; they stay */
    hpa_t at = {acpi.ecam.base + (uint64_t)number * BUS_BYTES};

    if (acpi.ecam.base == 0 || number < acpi.ecam.first_bus || number > acpi.ecam.last_bus)
        return NULL;
    if (!bus[number])
        bus[number] = paging_map_device(at, BUS_BYTES);
    return bus[number];
}

uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size)
{
    return (uint32_t)device_read(f->config + offset, size);
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    device_write(f->config + offset, size, value);
}
