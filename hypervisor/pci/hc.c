/* Calls about PCI functions. */
#include "domain/domain.h"
#include "hypercall/call.h"
#include "iommu/iommu.h"
#include "mm/copy.h"
#include "pci/owner.h"
#include "pci/pci.h"
#include "sched/sched.h"
#include "vcpu/vcpu.h"

#define DMA_CHUNK 64u

int hc_pci_info(struct hc_call *call, struct bulkhead_pci_info *arg)
{
    LOCK_SCOPE(&pci_lock);
    const struct pci_function *f = function_at(arg->index);
    uint32_t header, buses, acs;

    (void)call;
    if (!f)
        return -XEN_ENOENT;
    header = config_read(f, CONFIG_HEADER, 4) >> 16 & 0xff & ~HEADER_MULTIPLE;
    buses = header == HEADER_BRIDGE ? config_read(f, CONFIG_BUSES, 4) : 0;
    acs = f->acs ? config_read(f, f->acs + 4u, 4) : 0;
    *arg = (struct bulkhead_pci_info){
        .index = arg->index,
        .sbdf = f->bdf,
        .vendor = (uint16_t)f->id,
        .device = (uint16_t)(f->id >> 16),
        .class_revision = f->class_revision,
        .owner = f->owner ? f->owner->id : DOMID_INVALID,
        .flags =
            (f->reserved ? BULKHEAD_PCI_RESERVED : 0) | (f->msi.capability ? BULKHEAD_PCI_MSI : 0) |
            (f->msix.capability ? BULKHEAD_PCI_MSIX : 0) | (f->unclean ? BULKHEAD_PCI_UNCLEAN : 0) |
            (f->acs ? BULKHEAD_PCI_ACS : 0) | (iommu_contains(f) ? BULKHEAD_PCI_CONTAINED : 0),
        .header = (uint8_t)header,
        .port = f->pcie ? config_read(f, f->pcie, 4) >> 20 & 0xf : BULKHEAD_PCI_CONVENTIONAL,
        .secondary = (uint8_t)(buses >> 8),
        .subordinate = (uint8_t)(buses >> 16),
        .acs = (uint16_t)acs,
        .acs_on = (uint16_t)(acs >> 16),
    };
    return 0;
}

static int copy_addresses(struct hc_call *call, uint64_t gfn, unsigned count, uint64_t buffer)
{
    uint64_t address[DMA_CHUNK];

    for (unsigned i = 0; i < count; i++) {
        enum p2m_type type;
        mfn_t mfn = p2m_lookup(&call->domain->p2m, (gfn_t){gfn + i}, &type);

        if (type != P2M_RAM)
            return -XEN_EINVAL;
        address[i] = pci_bus_address(call->domain, (gfn_t){gfn + i}, mfn);
    }
    return copy_to_guest(call->vcpu, (gla_t){buffer}, address, count * sizeof(address[0]));
}

int hc_dma_limit(struct hc_call *call, struct bulkhead_dma_limit *arg)
{
    if (arg->count > BULKHEAD_DMA_LIMIT_MAX)
        return -XEN_EINVAL;
    call->target->dma_limit = arg->count;
    return 0;
}

int hc_dma_address(struct hc_call *call, struct bulkhead_dma_address *arg)
{
    int rc = 0;

    if (!call->domain->pci) /* never had a function */
        return -XEN_EPERM;
    if (arg->gfn >= p2m_gfn_limit())
        return -XEN_EINVAL;
    while (arg->count > 0 && rc == 0) {
        unsigned step = (unsigned)(arg->count < DMA_CHUNK ? arg->count : DMA_CHUNK);

        rc = copy_addresses(call, arg->gfn, step, arg->buffer);
        if (rc == 0) {
            arg->gfn += step;
            arg->buffer += step * sizeof(uint64_t);
            arg->count -= step;
            if (arg->count > 0 && hc_should_stop(call))
                break;
        }
    }
    return rc;
}

/* Segment 0 only: a machine_sbdf is bus, device and function. */
static int change_owner(struct hc_call *call, const struct xen_domctl *arg, bool assign)
{
    const struct xen_domctl_assign_device *device = &arg->u.assign_device;
    uint32_t bdf = device->u.pci.machine_sbdf;

    if (device->dev != XEN_DOMCTL_DEV_PCI || bdf > UINT16_MAX)
        return -XEN_EINVAL;
    int rc = assign ? owner_assign(call->target, (uint16_t)bdf)
                    : owner_deassign(call->target, (uint16_t)bdf);
    if (rc != -XEN_EAGAIN)
        return rc;
    /* The call comes again; meanwhile others run. */
    sched_yield(call->vcpu);
    call->again = true;
    return 0;
}

int hc_control_assign_device(struct hc_call *call, struct xen_domctl *arg)
{
    return change_owner(call, arg, true);
}

int hc_control_deassign_device(struct hc_call *call, struct xen_domctl *arg)
{
    return change_owner(call, arg, false);
}
