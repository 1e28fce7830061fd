/* Grant copies: bytes from one page to another, each named by a reference or as the caller's own.
 */
#include <arch/peek.h>

#include "domain/domain.h"
#include "grant/grant.h"
#include "util/string.h"

/* One side of a copy, held while the bytes move: without an owner it is the caller's own page. */
static int16_t side_get(struct domain *user, const struct gnttab_copy_ptr *ptr, bool by_ref,
                        bool readonly, struct grant_use *side)
{
    if (by_ref)
        return grant_acquire(user, ptr->domid, ptr->u.ref, readonly, side);
    if (ptr->domid != DOMID_SELF && ptr->domid != user->id)
        return GNTST_permission_denied;
    side->owner = NULL;
    side->frame = p2m_get(&user->p2m, (gfn_t){ptr->u.gmfn}, readonly ? P2M_READABLE : P2M_WRITABLE);
    return mfn_is_none(side->frame) ? GNTST_bad_page : GNTST_okay;
}

static void move(const struct grant_use *source, const struct grant_use *dest,
                 const struct gnttab_copy *op)
{
    uint8_t *to = peek(0, dest->frame);
    const uint8_t *from = peek(1, source->frame);

    /* The two may be one page. */
    memmove(to + op->dest.offset, from + op->source.offset, op->len);
    peek_end();
}

void grant_copy(struct domain *user, struct gnttab_copy *op)
{
    struct grant_use source, dest;

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
        grant_release(&dest);
    }
    grant_release(&source);
}
