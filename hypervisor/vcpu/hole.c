/* Guest-physical addresses where nothing is. */
#include "vcpu/hole.h"

#include <arch/tlb.h>

#include "domain/domain.h"
#include "mm/heap.h"
#include "util/string.h"
#include "vcpu/vcpu.h"

/* One page of ones that all domains read. */
static void *ones;

int hole_init(void)
{
    ones = pool_alloc(0);
    if (!ones)
        return -XEN_ENOMEM;
    memset(ones, 0xff, PAGE_SIZE);
    return 0;
}

/* The oldest stand-in goes, unless something real has come in its place. */
static void evict(struct domain *d, gfn_t gfn)
{
    enum p2m_type type;
    mfn_t mfn;

    if (p2m_take(&d->p2m, gfn, P2M_HOLES, &mfn, &type) < 0 || type == P2M_EMPTY)
        return;
    tlb_flush_p2m(&d->p2m);
    p2m_prune(&d->p2m, gfn);
}

/* False: no memory for the tables that lead to it. */
static bool stand_in(struct domain *d, gfn_t gfn, void *page, enum p2m_type type)
{
    uint64_t *slot = &d->hole[d->hole_next % DOMAIN_HOLES];

    if (*slot != 0)
        evict(d, (gfn_t){*slot});
    int rc = p2m_map(&d->p2m, gfn, pool_mfn(page), 0, type);
    if (rc < 0)
        return rc == -XEN_EEXIST; /* another vCPU was faster */
    *slot = gfn.v;
    d->hole_next++;
    return true;
}

void hole_touch(struct vcpu *v, gpa_t at, bool write, bool fetch)
{
    struct domain *d = v->domain;
    enum p2m_type type;
    bool found;

    (void)p2m_lookup(&d->p2m, gpa_gfn(at), &type);
    if (fetch && type != P2M_RAM && type != P2M_RAM_RO) {
        domain_crash(d, "vCPU %u executes at %lx, where no code can be", v->id, at.v);
        return;
    }
    if (write && (type == P2M_RAM_RO || type == P2M_GRANT_RO)) {
        vcpu_raise(v, EXCEPTION_GP);
        return;
    }
    if (type != P2M_EMPTY && type != P2M_HOLE)
        return; /* allowed by now */
    if (write) {
        d->stats.holes_written++;
        /* A page where the domain alone can see what it wrote. */
        found = stand_in(d, gpa_gfn(at), d->scratch, P2M_SCRATCH);
    } else {
        d->stats.holes_read++;
        found = type == P2M_HOLE || stand_in(d, gpa_gfn(at), ones, P2M_HOLE);
    }
    if (!found)
        domain_crash(d, "vCPU %u finds no page tables for %lx, where nothing is", v->id, at.v);
}
