/* PCI functions: who owns which, and what the owner sees of it. */
#pragma once

#include "vcpu/mmio.h"

struct domain;
struct vcpu;

/* Finds the host's functions and stops their DMA. Once, at boot. */
void pci_init(void);

/*
 * For a domain that starts anew and keeps its functions: first nothing comes from
 * them any more; then (reopen) they are as when they were handed out, -XEN_ENOMEM,
 * -XEN_EPERM.
 */
int pci_restart(struct domain *d, bool reopen);

/* Takes every function of a domain back: bus mastering off, interrupts masked. It runs no more. */
void pci_release(struct domain *d);

/* Its devices reach whatever they were told of, for as long as it has any. */
bool pci_is_unsafe(const struct domain *d);

/*
 * The address by which a device of the domain reaches a frame that the domain
 * has at gfn: the domain's own with an IOMMU, otherwise
 * the machine's; 0 if it never owned a device.
 */
uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame);

/* I/O ports of configuration space (CF8, CFC); false: not ours. */
bool pci_port(struct vcpu *v, uint16_t port, unsigned size, bool in, uint32_t *value);

/* The address is answered here: virtual configuration space, or a page with an MSI-X table. */
bool pci_claims(const struct domain *d, gpa_t at);
extern const struct mmio_ops pci_mmio;
