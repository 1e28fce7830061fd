#include "grants.h"

#include "call.h"

#include <abi/addr.h>
#include <abi/memory.h>

#define MARKS (GTF_reading | GTF_writing)

static union {
    struct grant_entry_v1 entry[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    uint8_t bytes[PAGE_SIZE];
} table __attribute__((aligned(4096)));

static uint64_t frame_of(const void *page)
{
    return call_address(page) / PAGE_SIZE;
}

long grants_init(void)
{
    struct xen_add_to_physmap place = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = frame_of(&table)};

    return call_memory(XENMEM_add_to_physmap, &place);
}

void grants_lend(unsigned ref, const void *page, domid_t to, uint16_t flags)
{
    struct grant_entry_v1 *e = &table.entry[ref];

    e->domid = to;
    e->frame = (uint32_t)frame_of(page);
    __atomic_store_n(&e->flags, (uint16_t)(GTF_permit_access | flags), __ATOMIC_RELEASE);
}

bool grants_take_back(unsigned ref)
{
    struct grant_entry_v1 *e = &table.entry[ref];
    uint16_t flags = __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE);

    return !(flags & MARKS) && __atomic_compare_exchange_n(&e->flags, &flags, 0, false,
                                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static long reserve(uint64_t op, const void *page)
{
    xen_pfn_t gfn = frame_of(page);
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, &gfn);
    return call_memory(op, &r) == 1 ? 0 : -1;
}

long grants_hole(const void *page)
{
    return reserve(XENMEM_decrease_reservation, page);
}

long grants_fill(const void *page)
{
    return reserve(XENMEM_populate_physmap, page);
}

long grants_map(const void *hole, domid_t owner, unsigned ref, uint32_t flags, uint32_t *handle)
{
    struct gnttab_map_grant_ref op = {.host_addr = call_address(hole),
                                      .flags = GNTMAP_host_map | flags,
                                      .ref = ref,
                                      .dom = owner};
    long status = call_grant(GNTTABOP_map_grant_ref, &op, 1);

    *handle = op.handle;
    return status ? status : op.status;
}

long grants_unmap(const void *hole, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = call_address(hole), .handle = handle};
    long status = call_grant(GNTTABOP_unmap_grant_ref, &op, 1);

    return status ? status : op.status;
}
