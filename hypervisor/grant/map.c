/* The user's side of grants: mapping them into its own physical space, handles, unmapping. */
#include <arch/tlb.h>

#include "domain/domain.h"
#include "grant/grant.h"
#include "mm/heap.h"
#include "pci/pci.h"

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

/* The grant is pinned; maps it and hands out a handle. */
static int16_t map_pinned(struct domain *user, struct gnttab_map_grant_ref *op,
                          const struct grant_use *use)
{
    struct grant_table *t = user->grants;
    gfn_t gfn = {op->host_addr >> PAGE_SHIFT};

    LOCK_SCOPE(&t->lock);
    /* Who looks for mappings of a dying domain has either not been here yet, or was before us. */
    if (use->owner->dying)
        return GNTST_bad_gntref;
    if (t->handle_free == 0 && !handles_grow(user))
        return GNTST_no_space;
    if (p2m_map(&user->p2m, gfn, use->frame, 0, use->readonly ? P2M_GRANT_RO : P2M_GRANT) < 0)
        return GNTST_general_error;
    op->handle = t->handle_free - 1;
    struct grant_mapping *m = mapping_of(t, op->handle);
    t->handle_free = m->ref;
    *m = (struct grant_mapping){use->owner, use->ref, use->readonly, true, gfn.v};
    t->mapped++;
    op->dev_bus_addr = pci_bus_address(user, gfn, use->frame);
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

/*
 * Another frame (FRAME_NONE: none) comes where the user has the mapping's, which goes
 * into the batch. That has room, and the lock is held.
 */
static void replace(struct domain *user, const struct grant_mapping *m, mfn_t by,
                    struct grant_batch *batch)
{
    struct grant_use *use = &batch->use[batch->count++];
    enum p2m_type type;

    *use = (struct grant_use){.owner = m->owner, .ref = m->ref, .readonly = m->readonly};
    /* Nothing else can take a grant out of the p2m, and 4 KiB entries need no split. */
    CHECK(p2m_exchange(&user->p2m, (gfn_t){m->gfn}, P2M_GRANTS, by, &use->frame, &type) == 0);
}

/* The same with nothing; the handle is free. */
static void unmap(struct domain *user, uint32_t handle, struct grant_batch *batch)
{
    struct grant_table *t = user->grants;

    replace(user, mapping_of(t, handle), (mfn_t){FRAME_NONE}, batch);
    *mapping_of(t, handle) = (struct grant_mapping){.ref = t->handle_free};
    t->handle_free = handle + 1;
    t->mapped--;
}

static void batch_room(struct domain *user, struct grant_batch *batch)
{
    if (batch->count == GRANT_BATCH)
        grant_batch_flush(user, batch);
}

void grant_unmap(struct domain *user, struct gnttab_unmap_grant_ref *op, struct grant_batch *batch)
{
    struct grant_table *t = user->grants;

    op->status = GNTST_bad_handle;
    batch_room(user, batch);
    LOCK_SCOPE(&t->lock);
    if (op->handle >= t->handles)
        return;
    const struct grant_mapping *m = mapping_of(t, op->handle);
    if (!m->used || m->gfn != op->host_addr >> PAGE_SHIFT)
        return;
    unmap(user, op->handle, batch);
    op->status = GNTST_okay;
}

/* All that the user has mapped goes, or its scratch page comes for what is the owner's. */
static void sweep(struct domain *user, const struct domain *owner)
{
    struct grant_table *t = user->grants;
    struct grant_batch batch = {.count = 0};

    for (uint32_t handle = 0;; handle++) {
        batch_room(user, &batch);
        LOCK_SCOPE(&t->lock);
        if (handle >= t->handles)
            break;
        struct grant_mapping *m = mapping_of(t, handle);
        if (!owner && m->used) {
            unmap(user, handle, &batch);
        } else if (owner && m->owner == owner) {
            replace(user, m, pool_mfn(user->scratch), &batch);
            m->owner = NULL;
        }
    }
    grant_batch_flush(user, &batch);
}

void grant_unmap_all(struct domain *d)
{
    sweep(d, NULL);
}

void grant_revoke_all(struct domain *owner)
{
    struct domain *user = NULL;

    while ((user = domain_next(user)) != NULL)
        if (!pci_is_unsafe(user))
            sweep(user, owner);
}
