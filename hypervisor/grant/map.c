/* The user's side of grants: mapping them into its own physical space, handles, unmapping. */
#include <arch/tlb.h>

#include "domain/domain.h"
#include "domain/share.h"
#include "grant/grant.h"
#include "mm/heap.h"
#include "pci/pci.h"

#define NO_HANDLE UINT32_MAX

static struct grant_mapping *mapping_of(const struct grant_table *t, uint32_t handle)
{
    return &t->mapping[handle / GRANT_HANDLES_PAGE][handle % GRANT_HANDLES_PAGE];
}

/* A page more of free handles. The lock is held. */
static bool handles_grow(struct grant_table *t)
{
    struct grant_mapping *page;

    if (t->handles + GRANT_HANDLES_PAGE > GRANT_HANDLES_MAX)
        return false;
    page = pool_alloc(0);
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

static uint32_t handle_alloc(struct grant_table *t, const struct grant_mapping *what)
{
    uint32_t handle = NO_HANDLE;

    lock_acquire(&t->lock);
    if (t->handle_free != 0 || handles_grow(t)) {
        handle = t->handle_free - 1;
        t->handle_free = mapping_of(t, handle)->ref;
        *mapping_of(t, handle) = *what;
        t->mapped++;
    }
    lock_release(&t->lock);
    return handle;
}

/* Takes the mapping behind a handle away, if it is where the caller says. */
static bool handle_take(struct grant_table *t, uint32_t handle, uint64_t gfn,
                        struct grant_mapping *what)
{
    bool found = false;

    lock_acquire(&t->lock);
    if (handle < t->handles) {
        struct grant_mapping *m = mapping_of(t, handle);

        found = m->owner && m->gfn == gfn;
        if (found) {
            *what = *m;
            *m = (struct grant_mapping){.ref = t->handle_free};
            t->handle_free = handle + 1;
            t->mapped--;
        }
    }
    lock_release(&t->lock);
    return found;
}

/* The pin is held; maps and hands out a handle. */
static int16_t map_pinned(struct domain *user, struct gnttab_map_grant_ref *op,
                          struct domain *owner, mfn_t frame)
{
    struct grant_mapping m = {.owner = owner,
                              .ref = op->ref,
                              .readonly = (op->flags & GNTMAP_readonly) != 0,
                              .gfn = op->host_addr >> PAGE_SHIFT};
    struct grant_mapping undo;

    op->handle = handle_alloc(user->grants, &m);
    if (op->handle == NO_HANDLE)
        return GNTST_no_space;
    if (p2m_map(&user->p2m, (gfn_t){m.gfn}, frame, 0, m.readonly ? P2M_GRANT_RO : P2M_GRANT) < 0) {
        (void)handle_take(user->grants, op->handle, m.gfn, &undo);
        return GNTST_general_error;
    }
    op->dev_bus_addr = pci_bus_address(user, (gfn_t){m.gfn}, frame);
    return GNTST_okay;
}

void grant_map(struct domain *user, struct gnttab_map_grant_ref *op)
{
    bool readonly = (op->flags & GNTMAP_readonly) != 0;
    struct domain *owner;
    mfn_t frame;

    if (!(op->flags & GNTMAP_host_map) ||
        (op->flags & (GNTMAP_application_map | GNTMAP_contains_pte)) ||
        (op->host_addr & PAGE_MASK)) {
        op->status = GNTST_bad_virt_addr;
        return;
    }
    owner = domain_get(op->dom == DOMID_SELF ? user->id : op->dom);
    if (!owner) {
        op->status = GNTST_bad_domain;
        return;
    }
    op->status = share_is_allowed(user, owner)
                     ? grant_pin(owner, op->ref, user->id, readonly, &frame)
                     : GNTST_permission_denied;
    if (op->status == GNTST_okay) {
        op->status = map_pinned(user, op, owner, frame);
        if (op->status == GNTST_okay) {
            /* The mapping keeps our reference on the owner. */
            user->stats.grant_maps++;
            return;
        }
        grant_unpin(owner, op->ref, readonly);
    }
    domain_put(owner);
}

void grant_batch_flush(struct domain *user, struct grant_batch *batch)
{
    if (batch->count == 0)
        return;
    tlb_flush_p2m(&user->p2m);
    for (unsigned i = 0; i < batch->count; i++) {
        grant_unpin(batch->item[i].owner, batch->item[i].ref, batch->item[i].readonly);
        domain_put(batch->item[i].owner);
    }
    batch->count = 0;
}

/* Out of the user's physical space, into the batch. */
static void take_down(struct domain *user, const struct grant_mapping *m, struct grant_batch *batch)
{
    enum p2m_type type;
    mfn_t frame;

    /* Nothing else can take a grant out of the p2m, and 4 KiB entries need no split. */
    CHECK(p2m_unmap(&user->p2m, (gfn_t){m->gfn}, &frame, &type) == 0 &&
          (type == P2M_GRANT || type == P2M_GRANT_RO));
    if (batch->count == GRANT_BATCH)
        grant_batch_flush(user, batch);
    batch->item[batch->count].owner = m->owner;
    batch->item[batch->count].ref = m->ref;
    batch->item[batch->count].readonly = m->readonly != 0;
    batch->count++;
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
