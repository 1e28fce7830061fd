/* Memory calls: a domain's frames come and go, and what else is put into its physical space. */
#include <abi/memory.h>

#include <arch/tlb.h>

#include "domain/domain.h"
#include "grant/grant.h"
#include "hypercall/call.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"
#include "util/string.h"

/* A guest may ask for blocks up to 2 MiB; a builder for 1 GiB. */
#define ORDER_SELF  FRAME_ORDER_2M
#define ORDER_BUILD FRAME_ORDER_1G

/* ---- reservations ---------------------------------------------------------- */

/* An extent list is walked in steps, so that a long one does not hold up the host. */
static int extent_next(struct hc_call *call, const struct xen_memory_reservation *arg, uint64_t i,
                       uint64_t *gfn)
{
    uint64_t list = (uint64_t)(uintptr_t)arg->extent_start.p;

    return copy_from_guest(call->vcpu, gfn, (gla_t){list + i * sizeof(*gfn)}, sizeof(*gfn));
}

/* The 1 << order frames at gfn go; all must be RAM of the domain. */
static int decrease_extent(struct release *r, uint64_t gfn, unsigned order)
{
    struct domain *d = r->domain;

    for (uint64_t i = 0; i < 1ull << order; i++) {
        enum p2m_type type;
        mfn_t frame;

        (void)p2m_lookup(&d->p2m, (gfn_t){gfn + i}, &type);
        if (type != P2M_RAM || p2m_unmap(&d->p2m, (gfn_t){gfn + i}, &frame, &type) < 0)
            return -XEN_EINVAL;
        release_add(r, frame);
    }
    return 0;
}

/* Returns the number of extents done, as these calls do, or goes on later. */
static int reservation(struct hc_call *call, const struct xen_memory_reservation *arg,
                       bool populate)
{
    uint64_t i = call->arg[0] >> HC_EXTENT_SHIFT;
    bool exact = populate && arg->mem_flags & BULKHEAD_POPULATE_EXACT;
    unsigned order_max;
    struct release r = {.count = 0};
    int rc = hc_target(call, arg->domid, &r.domain);

    if (rc < 0)
        return rc;
    if (exact && (r.domain->has_run || ~call->domain->rights & (RIGHT_BUILD | RIGHT_HARDWARE)))
        goto out;
    order_max = call->domain->rights & call->right ? ORDER_BUILD : ORDER_SELF;
    if (arg->extent_order > order_max || arg->nr_extents > INT32_MAX || i > arg->nr_extents)
        goto out;
    for (; i < arg->nr_extents; i++) {
        uint64_t gfn;

        if (extent_next(call, arg, i, &gfn) < 0)
            break;
        rc = populate ? reserve_populate(r.domain, (gfn_t){gfn}, arg->extent_order, exact)
                      : decrease_extent(&r, gfn, arg->extent_order);
        if (rc < 0)
            break;
        if (i + 1 < arg->nr_extents && hc_should_stop(call)) {
            call->arg[0] = (call->arg[0] & ((1u << HC_EXTENT_SHIFT) - 1)) | (i + 1)
                                                                                << HC_EXTENT_SHIFT;
            call->again = true;
            break;
        }
    }
out:
    release_flush(&r);
    domain_put(r.domain);
    return (int)i;
}

int hc_memory_populate(struct hc_call *call, struct xen_memory_reservation *arg)
{
    return reservation(call, arg, true);
}

int hc_memory_decrease(struct hc_call *call, struct xen_memory_reservation *arg)
{
    return reservation(call, arg, false);
}

/* ---- pages of the core in a guest's physical space ------------------------------ */

/* Empties a place; RAM that was there is gone, as on Xen. Grants and devices stay: refused. */
static int place_clear(struct domain *d, gfn_t gfn)
{
    struct release r = {.domain = d};
    enum p2m_type type;
    mfn_t frame;

    (void)p2m_lookup(&d->p2m, gfn, &type);
    if (p2m_is_hole(type))
        return 0;
    if (type != P2M_RAM && type != P2M_SHARED)
        return -XEN_EPERM;
    if (p2m_unmap(&d->p2m, gfn, &frame, &type) < 0)
        return -XEN_ENOMEM;
    if (type == P2M_RAM)
        release_add(&r, frame);
    else
        tlb_flush_p2m(&d->p2m);
    release_flush(&r);
    return 0;
}

/* Moves one of the core's pages to gfn, from where the guest had it before. */
static int place_shared(struct domain *d, const void *page, gfn_t *where, gfn_t gfn)
{
    int rc;

    if (where->v == gfn.v)
        return 0;
    if (where->v != FRAME_NONE) {
        rc = place_clear(d, *where);
        if (rc < 0)
            return rc;
        where->v = FRAME_NONE;
    }
    rc = place_clear(d, gfn);
    if (rc == 0)
        rc = p2m_map(&d->p2m, gfn, pool_mfn(page), 0, P2M_SHARED);
    if (rc == 0)
        *where = gfn;
    return rc;
}

static int place_grant_frame(struct domain *d, uint64_t index, gfn_t gfn)
{
    int rc;

    if (index >= GRANT_FRAMES_MAX)
        return -XEN_EINVAL;
    rc = grant_grow(d, (unsigned)index + 1);
    if (rc < 0)
        return rc;
    return place_shared(d, grant_frame(d, (unsigned)index), &d->grants->gfn[index], gfn);
}

int hc_memory_add_to_physmap(struct hc_call *call, struct xen_add_to_physmap *arg)
{
    struct domain *d;
    int rc = hc_target(call, arg->domid, &d);

    if (rc < 0)
        return rc;
    if (arg->gpfn >= p2m_gfn_limit())
        rc = -XEN_EINVAL;
    else if (arg->space == XENMAPSPACE_shared_info && arg->idx == 0)
        rc = place_shared(d, d->shared, &d->shared_gfn, (gfn_t){arg->gpfn});
    else if (arg->space == XENMAPSPACE_grant_table)
        rc = place_grant_frame(d, arg->idx, (gfn_t){arg->gpfn});
    else
        rc = -XEN_EINVAL;
    domain_put(d);
    return rc;
}

/* A shared page that is taken out of its place has none any more. */
static void forget_shared(struct domain *d, uint64_t gfn)
{
    if (d->shared_gfn.v == gfn)
        d->shared_gfn.v = FRAME_NONE;
    for (unsigned i = 0; i < d->grants->frames; i++)
        if (d->grants->gfn[i].v == gfn)
            d->grants->gfn[i].v = FRAME_NONE;
}

int hc_memory_remove_from_physmap(struct hc_call *call, struct xen_remove_from_physmap *arg)
{
    struct domain *d;
    enum p2m_type type;
    int rc = hc_target(call, arg->domid, &d);

    if (rc < 0)
        return rc;
    (void)p2m_lookup(&d->p2m, (gfn_t){arg->gpfn}, &type);
    rc = p2m_is_hole(type) ? -XEN_EINVAL : place_clear(d, (gfn_t){arg->gpfn});
    if (rc == 0 && type == P2M_SHARED)
        forget_shared(d, arg->gpfn);
    domain_put(d);
    return rc;
}

/* ---- questions --------------------------------------------------------------- */

int hc_memory_maximum_ram_page(struct hc_call *call, struct hc_none *arg)
{
    (void)call, (void)arg;
    return (int)(frame_total() < INT32_MAX ? frame_total() : INT32_MAX);
}

static int domain_number(const struct hc_call *call, domid_t domid,
                         uint64_t (*number)(const struct domain *))
{
    struct domain *d;
    uint64_t n;
    int rc = hc_target(call, domid, &d);

    if (rc < 0)
        return rc;
    n = number(d);
    domain_put(d);
    return (int)(n < INT32_MAX ? n : INT32_MAX);
}

static uint64_t frames_now(const struct domain *d)
{
    return d->frames;
}

static uint64_t frames_max(const struct domain *d)
{
    return d->frames_max;
}

static uint64_t gfn_max(const struct domain *d)
{
    uint64_t end = p2m_ram_end(&d->p2m);

    return end ? end - 1 : 0;
}

int hc_memory_current(struct hc_call *call, domid_t *arg)
{
    return domain_number(call, *arg, frames_now);
}

int hc_memory_maximum(struct hc_call *call, domid_t *arg)
{
    return domain_number(call, *arg, frames_max);
}

int hc_memory_maximum_gpfn(struct hc_call *call, domid_t *arg)
{
    return domain_number(call, *arg, gfn_max);
}

/* ---- copies by a builder --------------------------------------------------------- */

/* Bytes moved between two looks at the clock. */
#define COPY_STEP 65536u

static int copy_target(const struct hc_call *call, const struct bulkhead_memory_copy *arg,
                       struct domain **d)
{
    bool read = (arg->flags & BULKHEAD_COPY_READ) != 0;
    uint32_t rights = call->domain->rights;

    if (arg->flags & ~BULKHEAD_COPY_READ)
        return -XEN_EINVAL;
    if (!(rights & (read ? RIGHT_MEMORY : RIGHT_BUILD)))
        return -XEN_EPERM;
    *d = domain_get(arg->domid);
    if (!*d)
        return -XEN_ESRCH;
    /* Nobody writes into a domain that lives. */
    if ((*d)->dying || (!read && (*d)->has_run)) {
        domain_put(*d);
        return -XEN_EBUSY;
    }
    return 0;
}

int hc_memory_copy(struct hc_call *call, struct bulkhead_memory_copy *arg)
{
    struct domain *d;
    int rc = copy_target(call, arg, &d);

    if (rc < 0)
        return rc;
    while (rc == 0 && arg->len > 0) {
        uint64_t step = arg->len < COPY_STEP ? arg->len : COPY_STEP;

        rc = arg->flags & BULKHEAD_COPY_READ
                 ? copy_gpa_to_guest(d, (gpa_t){arg->gpa}, call->vcpu, (gla_t){arg->buffer}, step)
                 : copy_guest_to_gpa(call->vcpu, (gla_t){arg->buffer}, d, (gpa_t){arg->gpa}, step);
        if (rc == 0) {
            arg->gpa += step;
            arg->buffer += step;
            arg->len -= step;
            call->again = arg->len > 0 && hc_should_stop(call);
            if (call->again)
                break;
        }
    }
    domain_put(d);
    return rc;
}
