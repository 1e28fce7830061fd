/* Who owns which function: assigned, taken back, fenced when its owner dies. */
#include "pci/owner.h"

#include <abi/layout.h>

#include "domain/domain.h"
#include "iommu/iommu.h"
#include "mm/heap.h"
#include "pci/pci.h"
#include "pci/reset.h"

/* A reset forgot where firmware had put its memory, how long its packets may be, and its limits. */
static void restore(struct pci_function *f)
{
    if (f->pcie)
        config_write(f, f->pcie + 8u, 2, f->control);
    capability_isolate(f);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bar[i];

        if (bar->host == 0)
            continue;
        config_write(f, CONFIG_BAR + 4 * i, 4, (uint32_t)bar->host | bar->flags);
        if (bar->wide)
            config_write(f, CONFIG_BAR + 4 * i + 4, 4, (uint32_t)(bar->host >> 32));
    }
}

static struct pci_space *space_create(void)
{
    struct pci_space *space = heap_alloc(sizeof(*space));

    if (!space)
        return NULL;
    list_init(&space->functions);
    space->next_bar = LAYOUT_BAR_BASE;
    return space;
}

/* As its owner finds it. One that the IOMMU fences is let in when its owner switches mastering on.
 */
static int open(struct domain *d, struct pci_function *f)
{
    int rc = msi_open(f);

    if (rc == 0 && !f->fenced && (rc = iommu_attach(f, &d->p2m)) < 0)
        msi_close(f);
    if (rc < 0)
        return rc;
    bar_place(f, d->pci);
    if (!f->fenced)
        config_write(f, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_INTX_OFF);
    return 0;
}

static int assign(struct domain *d, struct pci_function *f)
{
    int rc;

    if (!d->pci && !(d->pci = space_create()))
        return -XEN_ENOMEM;
    restore(f);
    rc = open(d, f);
    if (rc < 0)
        return rc;
    f->owner = d;
    list_add_tail(&d->pci->functions, &f->owned);
    return 0;
}

int owner_assign(struct domain *d, uint16_t bdf)
{
    LOCK_SCOPE(&pci_lock);
    struct pci_function *f = function_find(bdf);
    int rc;

    if (!f)
        return -XEN_ENODEV;
    if (f->reserved)
        return -XEN_EPERM;
    if (f->owner)
        return -XEN_EBUSY;
    if (d->dying)
        return -XEN_EINVAL;
    rc = reset_poll(f);
    return rc < 0 ? rc : assign(d, f);
}

/*
 * Nothing comes from the device any more, no DMA and no interrupt, and its memory
 * is nobody's to reach. That may be so already, if it could not be opened again.
 * For its owner's next life an IOMMU fences it, without a word of what it blocks,
 * and mastering stays on: to switch it costs QEMU a millisecond.
 */
static void close(struct pci_function *f, bool fence)
{
    f->fenced = fence && iommu_is_on();
    if (!f->fenced)
        config_write(f, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_INTX_OFF);
    if (!f->message)
        return;
    /* A read comes back after the writes that the device had under way. */
    (void)config_read(f, CONFIG_COMMAND, 4);
    msi_close(f);
    iommu_detach(f, f->fenced);
    f->command = 0;
    bar_update(f);
}

static void take_back(struct pci_function *f)
{
    close(f, false);
    f->owner = NULL;
    list_del(&f->owned);
    f->reset_phase = RESET_DUE;
}

int owner_deassign(struct domain *d, uint16_t bdf)
{
    LOCK_SCOPE(&pci_lock);
    struct pci_function *f = function_find(bdf);

    if (!f || f->owner != d)
        return -XEN_ENODEV;
    take_back(f);
    reset_start();
    return 0;
}

int pci_restart(struct domain *d, bool reopen)
{
    int rc = 0;

    if (!d->pci)
        return 0;
    LOCK_SCOPE(&pci_lock);
    d->pci->next_bar = LAYOUT_BAR_BASE;
    list_for_each (struct pci_function, f, &d->pci->functions, owned) {
        if (!reopen)
            close(f, true);
        else if (rc == 0)
            rc = open(d, f);
    }
    return rc;
}

void pci_release(struct domain *d)
{
    if (!d->pci)
        return;
    LOCK_SCOPE(&pci_lock);
    while (!list_is_empty(&d->pci->functions))
        take_back(list_entry(d->pci->functions.next, struct pci_function, owned));
    /* Only now: who shares a bus is reset together. */
    reset_start();
    heap_free(d->pci);
    d->pci = NULL;
}

bool pci_is_unsafe(const struct domain *d)
{
    return d->pci && !iommu_is_on();
}

uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame)
{
    if (pci_is_unsafe(d))
        return mfn_hpa(frame).v;
    return d->pci ? gfn.v << PAGE_SHIFT : 0;
}
