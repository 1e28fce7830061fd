/* Memory calls: a domain's frames come and go, and what else is put into its physical space. */

#include "domain/domain.h"
#include "hypercall/call.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"

/* A guest may ask for blocks up to 2 MiB; a builder for 1 GiB. */
#define ORDER_SELF  FRAME_ORDER_2M
#define ORDER_BUILD FRAME_ORDER_1G

/* ---- reservations ---------------------------------------------------------- */

/* The 1 << order frames at gfn go; all must be RAM of the domain. */
static int decrease_extent(struct release *r, uint64_t gfn, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++) {
        int rc = release_take(r, (gfn_t){gfn + i}, 1u << P2M_RAM);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/*
 * Returns the number of extents done, as these calls do, or goes on later: a long
 * list does not hold up the host.
 */
static int reservation(struct hc_call *call, const struct xen_memory_reservation *arg,
                       bool populate)
{
    uint64_t i = call->arg[0] >> HC_EXTENT_SHIFT;
    bool exact = populate && arg->mem_flags & BULKHEAD_POPULATE_EXACT;
    unsigned order_max = call->domain->rights & call->right ? ORDER_BUILD : ORDER_SELF;
    uint64_t list = (uint64_t)(uintptr_t)arg->extent_start.p;
    struct release r = {.domain = call->target};

    if (exact && (r.domain->has_run || ~call->domain->rights & (RIGHT_BUILD | RIGHT_HARDWARE)))
        return (int)i;
    if (arg->extent_order > order_max || arg->nr_extents > INT32_MAX || i > arg->nr_extents)
        return (int)i;
    (void)hc_should_stop(call); /* the time begins: one extent may take all of it */
    for (; i < arg->nr_extents; i++) {
        uint64_t gfn;

        if (copy_from_guest(call->vcpu, &gfn, (gla_t){list + i * sizeof(gfn)}, sizeof(gfn)) < 0 ||
            (populate ? reserve_populate(r.domain, (gfn_t){gfn}, arg->extent_order, exact)
                      : decrease_extent(&r, gfn, arg->extent_order)) < 0)
            break;
        if (i + 1 < arg->nr_extents && hc_should_stop(call)) {
            call->arg[0] = (call->arg[0] & ((1u << HC_EXTENT_SHIFT) - 1)) | (i + 1)
                                                                                << HC_EXTENT_SHIFT;
            break;
        }
    }
    release_flush(&r);
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
    int rc = release_take(&r, gfn, 1u << P2M_RAM | 1u << P2M_SHARED | P2M_HOLES);

    release_flush(&r);
    return rc;
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
    if (index >= GRANT_FRAMES_MAX)
        return -XEN_EINVAL;
    int rc = grant_grow(d, (unsigned)index + 1);
    if (rc < 0)
        return rc;
    return place_shared(d, grant_frame(d, (unsigned)index), &d->grants->gfn[index], gfn);
}

int hc_memory_add_to_physmap(struct hc_call *call, struct xen_add_to_physmap *arg)
{
    struct domain *d = call->target;

    if (arg->gpfn >= p2m_gfn_limit())
        return -XEN_EINVAL;
    if (arg->space == XENMAPSPACE_shared_info && arg->idx == 0)
        return place_shared(d, d->shared, &d->shared_gfn, (gfn_t){arg->gpfn});
    if (arg->space == XENMAPSPACE_grant_table)
        return place_grant_frame(d, arg->idx, (gfn_t){arg->gpfn});
    return -XEN_EINVAL;
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
    struct domain *d = call->target;
    enum p2m_type type;

    (void)p2m_lookup(&d->p2m, (gfn_t){arg->gpfn}, &type);
    int rc = p2m_is_hole(type) ? -XEN_EINVAL : place_clear(d, (gfn_t){arg->gpfn});
    if (rc == 0)
        forget_shared(d, arg->gpfn);
    return rc;
}

/* ---- questions --------------------------------------------------------------- */

/* A number that has to fit into what a call answers. */
static int answer(uint64_t n)
{
    return (int)(n < INT32_MAX ? n : INT32_MAX);
}

int hc_memory_maximum_ram_page(struct hc_call *, struct hc_none *)
{
    return answer(frame_total());
}

int hc_memory_current(struct hc_call *call, domid_t *)
{
    return answer(call->target->frames);
}

int hc_memory_maximum(struct hc_call *call, domid_t *)
{
    return answer(call->target->frames_max);
}

int hc_memory_maximum_gpfn(struct hc_call *call, domid_t *)
{
    uint64_t end = call->target->p2m.ram_end;

    return answer(end ? end - 1 : 0);
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

        rc = copy_across(call->vcpu, (gla_t){arg->buffer}, d, (gpa_t){arg->gpa}, step,
                         arg->flags & BULKHEAD_COPY_READ);
        if (rc == 0) {
            arg->gpa += step;
            arg->buffer += step;
            arg->len -= step;
            if (arg->len > 0 && hc_should_stop(call))
                break;
        }
    }
    domain_put(d);
    return rc;
}
