/* MSI-X: a table of messages in a BAR (PCI Local Bus 3.0, section 6.8.2). */
#include <abi/xen.h>

#include <mmio.h>

#include "pci.h"

#define MSIX_CONTROL          2u
#define MSIX_CONTROL_ENABLE   (1u << 15)
#define MSIX_CONTROL_MASK_ALL (1u << 14)
#define MSIX_CONTROL_SIZE     0x7ffu
#define ENTRY_SIZE            16u
#define ENTRY_MASKED          1u

int pci_msix_open(struct pci_msix *m, struct pci_function *f)
{
    *m = (struct pci_msix){.function = f, .capability = pci_capability(f, PCI_CAP_MSIX, 0)};
    if (m->capability == 0)
        return -XEN_ENODEV;

    /* Its head, the control register, and where the table is. */
    uint64_t words = pci_read64(f, m->capability);
    uint32_t where = (uint32_t)(words >> 32);

    m->control = (uint16_t)(words >> 16);
    m->count = (m->control & MSIX_CONTROL_SIZE) + 1u;
    m->table = pci_bar_map(f, where & 7, where & ~7u, (uint64_t)m->count * ENTRY_SIZE);
    return m->table ? 0 : -XEN_ENODEV;
}

void pci_msix_set(const struct pci_msix *m, uint32_t entry, uint64_t address, uint32_t data)
{
    volatile uint8_t *e = m->table + (size_t)entry * ENTRY_SIZE;

    /* Each write leaves the domain. The upper half of the last is the mask: cleared. */
    mmio_write32(e + 12, ENTRY_MASKED);
    mmio_write64(e, address);
    mmio_write64(e + 8, data);
}

void pci_msix_enable(struct pci_msix *m)
{
    m->control = (uint16_t)((m->control | MSIX_CONTROL_ENABLE) & ~MSIX_CONTROL_MASK_ALL);
    pci_command(m->function, PCI_COMMAND_NO_INTX, 0);
    pci_write16(m->function, m->capability + MSIX_CONTROL, m->control);
}
