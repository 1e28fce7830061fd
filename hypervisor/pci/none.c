/* No PCI: nothing can be assigned. */
#include <arch/irq.h>

#include "hypercall/call.h"
#include "pci/pci.h"

void pci_interrupt(unsigned cookie)
{
    (void)cookie;
}

void pci_release(struct domain *d)
{
    (void)d;
}

uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame)
{
    (void)d, (void)gfn, (void)frame;
    return 0;
}

bool pci_port(struct vcpu *v, uint16_t port, uint8_t size, bool in, uint32_t *value)
{
    (void)v, (void)port, (void)size, (void)in, (void)value;
    return false;
}

bool pci_claims(const struct domain *d, gpa_t at)
{
    (void)d, (void)at;
    return false;
}

const struct mmio_ops pci_mmio;

int hc_pci_info(struct hc_call *call, struct bulkhead_pci_info *arg)
{
    (void)call, (void)arg;
    return -XEN_ENOENT;
}

int hc_dma_address(struct hc_call *call, struct bulkhead_dma_address *arg)
{
    (void)call, (void)arg;
    return -XEN_EPERM;
}

int hc_control_assign_device(struct hc_call *call, struct xen_domctl *arg)
{
    (void)call, (void)arg;
    return -XEN_ENODEV;
}

int hc_control_deassign_device(struct hc_call *call, struct xen_domctl *arg)
{
    (void)call, (void)arg;
    return -XEN_ENODEV;
}
