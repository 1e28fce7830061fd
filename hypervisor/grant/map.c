/* The user's side of grants: mapping them into its own physical space, handles, unmapping. */
#include <arch/tlb.h>

#include "domain/domain.h"
#include "grant/grant.h"
#include "mm/heap.h"
#include "pci/pci.h"

#define NO_HANDLE UINT32_MAX

static struct grant_mapping *mapping_of(const struct grant_table *t, uint32_t handle)
{
    return &t->mapping[handle / GRANT_HANDLES_PAGE][handle % GRANT_HANDLES_PAGE];
}

/* A page more of free handles. The lock is held. */
static bool handles_grow(const struct domain *d)
{
    struct grant_table *t = d->grants;
    uint64_t end = t->handles + GRANT_HANDLES_PAGE;

    if (end > GRANT_HANDLES_MAX || end > GRANT_HANDLES_ANY + d->frames_max)
        return false;
    struct grant_mapping *page = pool_alloc(0);
    if (!page)
        return false;
    t->mapping[t->handles / GRANT_HANDLES_PAGE] = page;
    for (uint32_t i = 0; i < GRANT_HANDLES_PAGE; i++) {
        page[i].ref = t->handle_free;
        t->handle_free = 1 + t->handles + i;
    }
    t->handles += (uint32_t)GRANT_HANDLES_PAGE;
    return true;
}

static uint32_t handle_alloc(const struct domain *d, const struct grant_mapping *what)
{
    struct grant_table *t = d->grants;

    LOCK_SCOPE(&t->lock);
    if (t->handle_free == 0 && !handles_grow(d))
        return NO_HANDLE;
    uint32_t handle = t->handle_free - 1;
    t->handle_free = mapping_of(t, handle)->ref;
    *mapping_of(t, handle) = *what;
    t->mapped++;
    return handle;
}

/* Takes the mapping behind a handle away, if it is where the caller says. */
static bool handle_take(struct grant_table *t, uint32_t handle, uint64_t gfn,
                        struct grant_mapping *what)
{
    LOCK_SCOPE(&t->lock);
    if (handle >= t->handles)
        return false;
    struct grant_mapping *m = mapping_of(t, handle);
    if (!m->owner || m->gfn != gfn)
        return false;
    *what = *m;
    *m = (struct grant_mapping){.ref = t->handle_free};
    t->handle_free = handle + 1;
    t->mapped--;
    return true;
}

/* The grant is pinned; maps it and hands out a handle. */
static int16_t map_pinned(struct domain *user, struct gnttab_map_grant_ref *op,
                          const struct grant_use *use)
{
    struct grant_mapping undo, m = {.owner = use->owner,
                                    .ref = use->ref,
                                    .readonly = use->readonly,
                                    .gfn = op->host_addr >> PAGE_SHIFT};
    enum p2m_type type = use->readonly ? P2M_GRANT_RO : P2M_GRANT;

    op->handle = handle_alloc(user, &m);
    if (op->handle == NO_HANDLE)
        return GNTST_no_space;
    if (p2m_map(&user->p2m, (gfn_t){m.gfn}, use->frame, 0, type) < 0) {
        (void)handle_take(user->grants, op->handle, m.gfn, &undo);
        return GNTST_general_error;
    }
    op->dev_bus_addr = pci_bus_address(user, (gfn_t){m.gfn}, use->frame);
    user->stats.grant_maps++;
    return GNTST_okay;
}

void grant_map(struct domain *user, struct gnttab_map_grant_ref *op)
{
    struct grant_use use;

    if (!(op->flags & GNTMAP_host_map) ||
        (op->flags & (GNTMAP_application_map | GNTMAP_contains_pte)) ||
        (op->host_addr & PAGE_MASK)) {
        op->status = GNTST_bad_virt_addr;
        return;
    }
    op->status = grant_acquire(user, op->dom, op->ref, op->flags & GNTMAP_readonly, &use);
    if (op->status != GNTST_okay)
        return;
    op->status = map_pinned(user, op, &use); /* keeps what was acquired */
    if (op->status != GNTST_okay)
        grant_release(&use);
}

void grant_batch_flush(struct domain *user, struct grant_batch *batch)
{
    if (batch->count == 0)
        return;
    tlb_flush_p2m(&user->p2m);
    for (unsigned i = 0; i < batch->count; i++)
        grant_release(&batch->use[i]);
    batch->count = 0;
}

/* Out of the user's physical space, into the batch. */
static void take_down(struct domain *user, const struct grant_mapping *m, struct grant_batch *batch)
{
    enum p2m_type type;
    mfn_t frame;

    /* Nothing else can take a grant out of the p2m, and 4 KiB entries need no split. */
    CHECK(p2m_take(&user->p2m, (gfn_t){m->gfn}, P2M_ALL, &frame, &type) == 0 &&
          (type == P2M_GRANT || type == P2M_GRANT_RO));
    if (batch->count == GRANT_BATCH)
        grant_batch_flush(user, batch);
    batch->use[batch->count++] = (struct grant_use){m->owner, frame, m->ref, m->readonly != 0};
}

void grant_unmap(struct domain *user, struct gnttab_unmap_grant_ref *op, struct grant_batch *batch)
{
    struct grant_mapping m;

    if (!handle_take(user->grants, op->handle, op->host_addr >> PAGE_SHIFT, &m)) {
        op->status = GNTST_bad_handle;
        return;
    }
    take_down(user, &m, batch);
    op->status = GNTST_okay;
}

void grant_unmap_all(struct domain *d)
{
    struct grant_table *t = d->grants;
    struct grant_batch batch = {.count = 0};

    for (uint32_t handle = 0; handle < t->handles; handle++) {
        struct grant_mapping m;

        if (handle_take(t, handle, mapping_of(t, handle)->gfn, &m))
            take_down(d, &m, &batch);
    }
    grant_batch_flush(d, &batch);
}
