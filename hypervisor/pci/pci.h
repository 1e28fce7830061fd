/* PCI functions: who owns which, and what the owner sees of it. */
#ifndef PCI_PCI_H
#define PCI_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/addr.h>

struct domain;

/* Takes every function of a domain back: bus mastering off, interrupts masked. It runs no more. */
void pci_release(struct domain *d);

/*
 * The address by which a device of the domain reaches a frame that the domain
 * has at gfn: the machine's without an IOMMU; 0 if it owns no device.
 */
uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame);

#endif
