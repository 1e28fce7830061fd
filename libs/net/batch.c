/* Grant copies, collected and done with one call. */
#include "net_batch.h"

#include <hcall.h>
#include <rt/memory.h>

/* Bytes that a copy can go on at an end: a granted end is the owner's claim, the core checks it. */
static uint32_t place_room(const struct net_place *place)
{
    return place->local ? PAGE_SIZE - ((uintptr_t)place->local & PAGE_MASK) : UINT16_MAX;
}

static void place_advance(struct net_place *place, uint32_t len)
{
    if (place->local)
        place->local = (uint8_t *)place->local + len;
    else
        place->offset = (uint16_t)(place->offset + len);
}

/* The flag that says so if the end is granted; 0: it is local. */
static uint16_t place_write(const struct net_place *place, struct gnttab_copy_ptr *ptr,
                            uint16_t flag)
{
    if (place->local) {
        ptr->domid = DOMID_SELF;
        ptr->u.gmfn = memory_gfn(place->local);
        ptr->offset = (uintptr_t)place->local & PAGE_MASK;
        return 0;
    }
    ptr->domid = place->domid;
    ptr->u.ref = place->ref;
    ptr->offset = place->offset;
    return flag;
}

static void op_queue(struct net_batch *b, const struct net_place *from, const struct net_place *to,
                     uint32_t len, bool *failed)
{
    struct gnttab_copy *op;

    if (b->count == NET_BATCH_MAX)
        net_batch_run(b);
    op = &b->ops[b->count];
    *op = (struct gnttab_copy){.len = (uint16_t)len};
    op->flags = (uint16_t)(place_write(from, &op->source, GNTCOPY_source_gref) |
                           place_write(to, &op->dest, GNTCOPY_dest_gref));
    b->failed[b->count++] = failed;
}

void net_batch_copy(struct net_batch *b, struct net_place from, struct net_place to, uint32_t len,
                    bool *failed)
{
    while (len > 0) {
        uint32_t part = len;

        if (part > place_room(&from))
            part = place_room(&from);
        if (part > place_room(&to))
            part = place_room(&to);
        op_queue(b, &from, &to, part, failed);
        b->bytes += part;
        place_advance(&from, part);
        place_advance(&to, part);
        len -= part;
    }
}

void net_batch_run(struct net_batch *b)
{
    if (b->count == 0)
        return;
    int rc = hcall_grant_copy(b->ops, b->count);

    b->calls++;
    b->copies += b->count;
    for (uint32_t i = 0; i < b->count; i++)
        if (rc < 0 || b->ops[i].status != GNTST_okay)
            *b->failed[i] = true;
    b->count = 0;
}
