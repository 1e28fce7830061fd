/* A domain's RAM: allowance, population in large pages, release in batches. */
#include "mm/reserve.h"

#include <arch/tlb.h>

#include "domain/domain.h"
#include "mm/frame.h"

void release_flush(struct release *r)
{
    if (r->count == 0)
        return;
    tlb_flush_p2m(&r->domain->p2m);
    for (unsigned i = 0; i < r->count; i++)
        frame_put(r->frame[i]);
    __atomic_fetch_sub(&r->domain->frames, r->count, __ATOMIC_RELAXED);
    r->count = 0;
}

int release_take(struct release *r, gfn_t gfn, uint32_t types)
{
    enum p2m_type type;
    mfn_t frame;
    int rc = p2m_take(&r->domain->p2m, gfn, types, &frame, &type);

    if (rc < 0 || type == P2M_EMPTY)
        return rc;
    if (type != P2M_RAM) {
        tlb_flush_p2m(&r->domain->p2m);
        return 0;
    }
    r->frame[r->count++] = frame;
    if (r->count == RELEASE_BATCH)
        release_flush(r);
    return 0;
}

/* Room for more RAM in the domain's allowance: taken now, given back by the caller on failure. */
static bool allowance_take(struct domain *d, uint64_t frames)
{
    LOCK_SCOPE(&d->lock);
    bool fits = !d->dying && d->frames + frames <= d->frames_max;
    if (fits)
        __atomic_fetch_add(&d->frames, frames, __ATOMIC_RELAXED);
    return fits;
}

/* The largest page size that both the block and its place allow. */
static unsigned page_order(uint64_t gfn, unsigned order)
{
    if (order >= FRAME_ORDER_1G && gfn % (1u << FRAME_ORDER_1G) == 0)
        return FRAME_ORDER_1G;
    return order >= FRAME_ORDER_2M && gfn % (1u << FRAME_ORDER_2M) == 0 ? FRAME_ORDER_2M : 0;
}

int reserve_populate(struct domain *d, gfn_t gfn, unsigned order, bool exact)
{
    uint64_t frames = 1ull << order;
    unsigned page = page_order(gfn.v, order);

    if (!allowance_take(d, frames))
        return -XEN_ENOMEM;
    mfn_t first = exact ? frame_claim(d->id, (mfn_t){gfn.v}, order) : frame_alloc(d->id, order);
    if (mfn_is_none(first)) {
        __atomic_fetch_sub(&d->frames, frames, __ATOMIC_RELAXED);
        return -XEN_ENOMEM;
    }
    for (uint64_t i = 0; i < frames; i += 1ull << page) {
        int rc = p2m_map(&d->p2m, (gfn_t){gfn.v + i}, (mfn_t){first.v + i}, page, P2M_RAM);

        if (rc < 0) {
            __atomic_fetch_sub(&d->frames, frames - i, __ATOMIC_RELAXED);
            frame_put_run((mfn_t){first.v + i}, frames - i);
            return rc;
        }
    }
    return 0;
}
