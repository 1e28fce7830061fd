/* Grant copies: bytes from one page to another, each named by a reference or as the caller's own.
 */
#include "domain/domain.h"
#include "domain/share.h"
#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/window.h"
#include "util/string.h"

/* One side of a copy, held while the bytes move. */
struct side {
    struct domain *owner; /* referenced */
    mfn_t frame;
    uint32_t ref;
    bool by_ref;
    bool readonly;
};

static int16_t side_get(struct domain *user, const struct gnttab_copy_ptr *ptr, bool by_ref,
                        bool readonly, struct side *side)
{
    uint16_t id = ptr->domid == DOMID_SELF ? user->id : ptr->domid;
    int16_t status = GNTST_okay;

    side->by_ref = by_ref;
    side->readonly = readonly;
    side->ref = by_ref ? ptr->u.ref : 0;
    if (!by_ref && id != user->id)
        return GNTST_permission_denied;
    if (id == user->id) {
        domain_ref(user);
        side->owner = user;
    } else {
        side->owner = domain_get(id);
        if (!side->owner)
            return GNTST_bad_domain;
    }
    if (!by_ref) {
        side->frame = p2m_get(&user->p2m, (gfn_t){ptr->u.gmfn}, !readonly);
        status = mfn_is_none(side->frame) ? GNTST_bad_page : GNTST_okay;
    } else if (!share_is_allowed(user, side->owner)) {
        status = GNTST_permission_denied;
    } else {
        status = grant_pin(side->owner, side->ref, user->id, readonly, &side->frame);
    }
    if (status != GNTST_okay)
        domain_put(side->owner);
    return status;
}

static void side_put(const struct side *side)
{
    if (side->by_ref)
        grant_unpin(side->owner, side->ref, side->readonly);
    else
        frame_put(side->frame);
    domain_put(side->owner);
}

static void move(const struct side *source, const struct side *dest, const struct gnttab_copy *op)
{
    uint8_t *to = window_map(dest->frame);
    const uint8_t *from = window_map(source->frame);

    /* The two may be one page. */
    memmove(to + op->dest.offset, from + op->source.offset, op->len);
    window_unmap(from);
    window_unmap(to);
}

void grant_copy(struct domain *user, struct gnttab_copy *op)
{
    struct side source;
    struct side dest;

    if ((op->flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref)) ||
        op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE) {
        op->status = GNTST_bad_copy_arg;
        return;
    }
    op->status = side_get(user, (const struct gnttab_copy_ptr *)&op->source,
                          (op->flags & GNTCOPY_source_gref) != 0, true, &source);
    if (op->status != GNTST_okay)
        return;
    op->status = side_get(user, (const struct gnttab_copy_ptr *)&op->dest,
                          (op->flags & GNTCOPY_dest_gref) != 0, false, &dest);
    if (op->status == GNTST_okay) {
        move(&source, &dest, op);
        user->stats.grant_copies++;
        side_put(&dest);
    }
    side_put(&source);
}
