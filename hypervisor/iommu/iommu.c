/* The vendor-neutral part: who is contained, what is said of accesses that were blocked. */
#include "iommu/iommu.h"

#include <arch/irq.h>
#include <arch/table.h>

#include <abi/bulkhead.h>

#include "console/console.h"
#include "domain/domain.h"
#include "iommu/vendor.h"
#include "mm/p2m.h"
#include "pci/function.h"

/* Blocked accesses of a function; from then on nothing is recorded. */
#define SILENT_FROM ((unsigned)BULKHEAD_DMA_LIMIT_MAX)
#define FAULTS_MAX  4096u

/* Number 0 is kept for nobody. */
#define OWNER_OF(p2m) ((uint16_t)((p2m)->domain->id + 1))

bool table_incoherent, table_amdvi;
static const struct iommu_vendor *vendor;
static unsigned strangers; /* blocked accesses under names that no function has */
static struct lock iommu_lock = LOCK_INIT(LOCK_IOMMU);

void iommu_init(void)
{
    int vector = irq_vector_alloc(IRQ_IOMMU, 0);

    CHECK(vector > 0);
    strangers = 0;
    vendor = vtd_init((unsigned)vector);
    if (!vendor)
        vendor = amdvi_init((unsigned)vector);
    if (vendor)
        console_log("IOMMU: all DMA is blocked until a domain owns the device");
}

bool iommu_is_on(void)
{
    return vendor != NULL;
}

/* ---- owners ---------------------------------------------------------------------------- */

static const char *refusal(const struct pci_function *f)
{
    return f->renamed ? "a bridge sends its requests under another name" : vendor->refusal(f->bdf);
}

bool iommu_contains(const struct pci_function *f)
{
    return vendor && !refusal(f);
}

int iommu_attach(struct pci_function *f, struct p2m *p2m)
{
    const char *why = vendor ? refusal(f) : NULL;

    if (why)
        console_log("PCI %04x cannot be given away: %s", f->bdf, why);
    if (why || !vendor)
        return why ? -XEN_EPERM : 0;
    f->blocked = 0;
    LOCK_SCOPE(&iommu_lock);
    return vendor->attach(f->bdf, p2m, OWNER_OF(p2m));
}

void iommu_detach(struct pci_function *f, bool silent)
{
    LOCK_SCOPE(&iommu_lock);
    f->blocked = 0;
    if (vendor)
        vendor->detach(f->bdf);
    if (vendor && silent)
        vendor->silence(f->bdf);
}

void iommu_flush(struct p2m *p2m)
{
    unsigned units = __atomic_load_n(&p2m->iommus, __ATOMIC_SEQ_CST) & ~P2M_IOMMU_ABSENT;

    if (units == 0)
        return;
    LOCK_SCOPE(&iommu_lock);
    for (unsigned unit = 0; units >> unit; unit++)
        if (units >> unit & 1)
            vendor->flush(unit, OWNER_OF(p2m));
}

/* ---- interrupts ------------------------------------------------------------------------ */

struct iommu_message iommu_message_make(unsigned entry, uint16_t bdf, unsigned vector)
{
    LOCK_SCOPE(&iommu_lock);
    if (!vendor)
        return (struct iommu_message){irq_message_address(), vector};
    return vendor->entry_write(entry, bdf, vector);
}

void iommu_message_drop(unsigned entry)
{
    LOCK_SCOPE(&iommu_lock);
    if (vendor)
        vendor->entry_clear(entry);
}

/* ---- what was blocked -------------------------------------------------------------------- */

/*
 * Each time that a function's count has doubled there is a line, and from some
 * count on nothing is recorded until its owner changes: nobody's device decides
 * how much the core prints, or how often it is interrupted. Returns the id of the
 * domain that this was one too many for; DOMID_INVALID: none.
 */
static uint16_t report(const struct iommu_fault *fault)
{
    LOCK_SCOPE(&pci_lock);
    struct pci_function *f = function_find(fault->bdf);
    const struct domain *owner = f ? f->owner : NULL;
    unsigned count = f ? ++f->blocked : ++strangers;

    if (owner)
        f->owner->stats.dma_blocked++;
    if ((count & (count - 1)) == 0)
        console_log("IOMMU: PCI %04x (%s): blocked %s %lx (reason %u, %u times in all)%s",
                    fault->bdf, owner ? owner->label : "nobody's",
                    fault->interrupt ? "interrupt"
                    : fault->write   ? "writing"
                                     : "reading",
                    fault->address, fault->reason, count,
                    count == SILENT_FROM ? ": no more is recorded" : "");
    if (count == SILENT_FROM || !f) {
        lock_acquire(&iommu_lock);
        vendor->silence(fault->bdf);
        lock_release(&iommu_lock);
    }
    return owner && count == owner->dma_limit ? owner->id : DOMID_INVALID;
}

/* Whatever drives such a device is broken or hostile: it ends like any other crash. */
static void crash(uint16_t id, uint16_t bdf)
{
    struct domain *d = domain_get(id);

    if (!d)
        return;
    domain_crash(d, "%u accesses of PCI %04x were blocked", d->dma_limit, bdf);
    domain_put(d);
}

void iommu_interrupt(unsigned cookie)
{
    struct iommu_fault fault;

    (void)cookie;
    /* If this is not enough the unit says nothing more, but it goes on blocking. Without a unit the
     * interrupt is forged. */
    for (unsigned i = 0; i < FAULTS_MAX && vendor && vendor->fault(&fault); i++) {
        uint16_t id = report(&fault);

        if (id != DOMID_INVALID)
            crash(id, fault.bdf);
    }
}
