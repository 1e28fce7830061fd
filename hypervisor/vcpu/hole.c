/* Guest-physical addresses where nothing is. */
#include "vcpu/hole.h"

#include <arch/tlb.h>

#include "domain/domain.h"
#include "mm/heap.h"
#include "util/string.h"

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

static enum hole_result stand_in(struct domain *d, gfn_t gfn, void *page, enum p2m_type type)
{
    uint64_t *slot = &d->hole[d->hole_next % DOMAIN_HOLES];

    if (!page)
        return HOLE_REFUSED;
    if (*slot != 0)
        evict(d, (gfn_t){*slot});
    int rc = p2m_map(&d->p2m, gfn, pool_mfn(page), 0, type);
    if (rc == -XEN_EEXIST)
        return HOLE_AGAIN; /* another vCPU was faster */
    if (rc < 0)
        return HOLE_REFUSED;
    *slot = gfn.v;
    d->hole_next++;
    return HOLE_AGAIN;
}

enum hole_result hole_touch(struct domain *d, gfn_t gfn, bool write, bool fetch)
{
    enum p2m_type type;

    (void)p2m_lookup(&d->p2m, gfn, &type);
    if (fetch && type != P2M_RAM && type != P2M_RAM_RO)
        return HOLE_EXECUTED;
    switch (type) {
    case P2M_RAM_RO:
    case P2M_GRANT_RO: return write ? HOLE_READ_ONLY : HOLE_AGAIN;
    case P2M_EMPTY:
    case P2M_HOLE: break;
    default: return HOLE_AGAIN; /* allowed by now */
    }
    if (!write) {
        d->stats.holes_read++;
        return type == P2M_HOLE ? HOLE_AGAIN : stand_in(d, gfn, ones, P2M_HOLE);
    }
    d->stats.holes_written++;
    /* A page where the domain alone can see what it wrote. */
    if (!d->scratch)
        d->scratch = pool_alloc(0);
    return stand_in(d, gfn, d->scratch, P2M_SCRATCH);
}
