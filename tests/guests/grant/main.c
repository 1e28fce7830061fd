/* Grants: own pages lent to oneself by every call, and what must be refused. */
#include "call.h"
#include "check.h"
#include "cpu.h"
#include "result.h"
#include "start.h"
#include "trap.h"

#include <abi/addr.h>
#include <abi/grant.h>
#include <abi/memory.h>

#define REF      16u
#define REF_RO   17u
#define REF_ODD  18u
#define STRANGER 0u

static uint8_t table[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t lent[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t other[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t hole[PAGE_SIZE] __attribute__((aligned(4096)));

static uint64_t frame_of(const void *page)
{
    return call_address(page) / PAGE_SIZE;
}

static struct grant_entry_v1 *entry(unsigned ref)
{
    return (struct grant_entry_v1 *)(void *)table + ref;
}

static void lend(unsigned ref, const void *page, domid_t to, uint16_t flags)
{
    entry(ref)->domid = to;
    entry(ref)->frame = (uint32_t)frame_of(page);
    __atomic_store_n(&entry(ref)->flags, (uint16_t)(GTF_permit_access | flags), __ATOMIC_RELEASE);
}

static uint16_t flags_of(unsigned ref)
{
    return __atomic_load_n(&entry(ref)->flags, __ATOMIC_ACQUIRE);
}

/* The table in place, and a page of physical space with nothing in it. */
static bool ready(void)
{
    static bool done;
    struct xen_add_to_physmap place = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = frame_of(table)};
    xen_pfn_t gfn = frame_of(hole);
    struct xen_memory_reservation out = {.nr_extents = 1, .domid = DOMID_SELF};
    long status = 0;

    set_xen_guest_handle(out.extent_start, &gfn);
    if (!done) {
        status = call_memory(XENMEM_add_to_physmap, &place);
        if (status == 0)
            status = call_memory(XENMEM_decrease_reservation, &out) == 1 ? 0 : -1;
    }
    done = done || status == 0;
    if (!done)
        result_error("placing the table", status);
    return done;
}

static struct gnttab_map_grant_ref map(unsigned ref, domid_t owner, uint32_t flags)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = call_address(hole), .flags = flags, .ref = ref, .dom = owner};

    op.status = 1;
    EXPECT(call_grant(GNTTABOP_map_grant_ref, &op, 1) == 0);
    return op;
}

static int16_t unmap(uint32_t handle, const void *where)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = call_address(where), .handle = handle};

    op.status = 1;
    EXPECT(call_grant(GNTTABOP_unmap_grant_ref, &op, 1) == 0);
    return op.status;
}

TEST(a_mapped_page_is_the_same_page)
{
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    lend(REF, lent, start_self(), 0);
    lent[7] = 0x5a;
    m = map(REF, start_self(), GNTMAP_host_map);
    EXPECT(m.status == GNTST_okay);
    EXPECT(*(volatile uint8_t *)&hole[7] == 0x5a);
    *(volatile uint8_t *)&hole[8] = 0xa5;
    EXPECT(*(volatile uint8_t *)&lent[8] == 0xa5);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == (GTF_reading | GTF_writing));
    EXPECT(unmap(m.handle, hole) == GNTST_okay);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == 0);
    /* What is unmapped is nothing again. */
    EXPECT(*(volatile uint8_t *)&hole[7] == 0xff);
    EXPECT(lent[7] == 0x5a);
}

TEST(marks_stay_until_the_last_user_is_gone)
{
    struct gnttab_copy copy = {.flags = GNTCOPY_source_gref, .len = 16};
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    lend(REF, lent, start_self(), 0);
    m = map(REF, start_self(), GNTMAP_host_map | GNTMAP_readonly);
    EXPECT(m.status == GNTST_okay);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == GTF_reading);
    copy.source.u.ref = REF;
    copy.source.domid = start_self();
    copy.dest.u.gmfn = frame_of(other);
    copy.dest.domid = DOMID_SELF;
    EXPECT(call_grant(GNTTABOP_copy, &copy, 1) == 0 && copy.status == GNTST_okay);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == GTF_reading);
    EXPECT(unmap(m.handle, hole) == GNTST_okay);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == 0);
}

TEST(a_readonly_grant_is_not_mapped_writable)
{
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    lend(REF_RO, lent, start_self(), GTF_readonly);
    m = map(REF_RO, start_self(), GNTMAP_host_map);
    EXPECT(m.status == GNTST_general_error);
    m = map(REF_RO, start_self(), GNTMAP_host_map | GNTMAP_readonly);
    EXPECT(m.status == GNTST_okay);
    EXPECT(unmap(m.handle, hole) == GNTST_okay);
}

TEST(maps_that_are_refused)
{
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    lend(REF, lent, STRANGER, 0);
    EXPECT(map(REF, start_self(), GNTMAP_host_map).status == GNTST_general_error);
    lend(REF, lent, start_self(), 0);
    EXPECT(map(REF, 0x7000, GNTMAP_host_map).status == GNTST_bad_domain);
    EXPECT(map(0, STRANGER, GNTMAP_host_map).status == GNTST_permission_denied);
    EXPECT(map(1u << 20, start_self(), GNTMAP_host_map).status == GNTST_bad_gntref);
    EXPECT(map(UINT32_MAX, start_self(), GNTMAP_host_map).status == GNTST_bad_gntref);
    EXPECT(map(REF, start_self(), 0).status == GNTST_bad_virt_addr);
    EXPECT(map(REF, start_self(), GNTMAP_host_map | GNTMAP_contains_pte).status ==
           GNTST_bad_virt_addr);
    /* Grants of what is not RAM of one's own: the table itself, a hole, the end of the world. */
    lend(REF_ODD, table, start_self(), 0);
    EXPECT(map(REF_ODD, start_self(), GNTMAP_host_map).status == GNTST_bad_page);
    lend(REF_ODD, hole, start_self(), 0);
    EXPECT(map(REF_ODD, start_self(), GNTMAP_host_map).status == GNTST_bad_page);
    entry(REF_ODD)->frame = UINT32_MAX;
    EXPECT(map(REF_ODD, start_self(), GNTMAP_host_map).status == GNTST_bad_page);
    EXPECT((flags_of(REF_ODD) & (GTF_reading | GTF_writing)) == 0);
    /* Where something is already. */
    m = (struct gnttab_map_grant_ref){.host_addr = call_address(other),
                                      .flags = GNTMAP_host_map,
                                      .ref = REF,
                                      .dom = start_self()};
    EXPECT(call_grant(GNTTABOP_map_grant_ref, &m, 1) == 0 && m.status == GNTST_general_error);
    m.host_addr = call_address(hole) + 1;
    EXPECT(call_grant(GNTTABOP_map_grant_ref, &m, 1) == 0 && m.status == GNTST_bad_virt_addr);
    m.host_addr = 1ull << 52;
    EXPECT(call_grant(GNTTABOP_map_grant_ref, &m, 1) == 0 && m.status == GNTST_general_error);
    EXPECT((flags_of(REF) & (GTF_reading | GTF_writing)) == 0);
}

TEST(unmaps_that_are_refused)
{
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    lend(REF, lent, start_self(), 0);
    EXPECT(unmap(0, hole) == GNTST_bad_handle);
    EXPECT(unmap(UINT32_MAX, hole) == GNTST_bad_handle);
    m = map(REF, start_self(), GNTMAP_host_map);
    EXPECT(m.status == GNTST_okay);
    EXPECT(unmap(m.handle, other) == GNTST_bad_handle);
    EXPECT(unmap(m.handle, hole) == GNTST_okay);
    EXPECT(unmap(m.handle, hole) == GNTST_bad_handle);
}

/* The owner gives the page away while it is mapped: it stays until the mapping goes. */
TEST(a_mapped_page_outlives_its_place)
{
    xen_pfn_t gfn = frame_of(lent);
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    struct gnttab_map_grant_ref m;

    if (!ready())
        return;
    set_xen_guest_handle(r.extent_start, &gfn);
    lend(REF, lent, start_self(), 0);
    lent[0] = 0x77;
    m = map(REF, start_self(), GNTMAP_host_map);
    EXPECT(m.status == GNTST_okay);
    EXPECT(call_memory(XENMEM_decrease_reservation, &r) == 1);
    EXPECT(*(volatile uint8_t *)hole == 0x77);
    EXPECT(call_memory(XENMEM_populate_physmap, &r) == 1);
    EXPECT(*(volatile uint8_t *)lent == 0);
    EXPECT(*(volatile uint8_t *)hole == 0x77);
    EXPECT(unmap(m.handle, hole) == GNTST_okay);
}

TEST(copies_by_frame_and_by_reference)
{
    struct gnttab_copy c[2] = {{.len = 100}, {.len = PAGE_SIZE}};

    if (!ready())
        return;
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        lent[i] = (uint8_t)(i * 13);
    lend(REF, lent, start_self(), GTF_readonly);
    c[0].source.u.gmfn = frame_of(lent);
    c[0].source.offset = 50;
    c[0].dest.offset = 3;
    c[1].flags = GNTCOPY_source_gref;
    c[1].source.u.ref = REF;
    for (unsigned i = 0; i < 2; i++) {
        c[i].source.domid = i == 0 ? DOMID_SELF : start_self();
        c[i].dest.u.gmfn = frame_of(other);
        c[i].dest.domid = DOMID_SELF;
    }
    EXPECT(call_grant(GNTTABOP_copy, &c[0], 1) == 0 && c[0].status == GNTST_okay);
    EXPECT(other[3] == (uint8_t)(50 * 13) && other[102] == (uint8_t)(149 * 13));
    EXPECT(call_grant(GNTTABOP_copy, c, 2) == 0);
    EXPECT(c[0].status == GNTST_okay && c[1].status == GNTST_okay);
    EXPECT(other[4095] == (uint8_t)(4095 * 13));
}

TEST(copies_that_are_refused)
{
    struct gnttab_copy good = {.len = 16, .flags = GNTCOPY_source_gref};
    struct gnttab_copy c;

    if (!ready())
        return;
    lend(REF, lent, start_self(), GTF_readonly);
    good.source.u.ref = REF;
    good.source.domid = start_self();
    good.dest.u.gmfn = frame_of(other);
    good.dest.domid = DOMID_SELF;
    c = good;
    c.source.offset = PAGE_SIZE - 8;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_bad_copy_arg);
    c = good;
    c.len = 0xffff;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_bad_copy_arg);
    c = good;
    c.flags = 0xff;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_bad_copy_arg);
    c = good;
    c.flags |= GNTCOPY_dest_gref;
    c.dest.u.ref = REF;
    c.dest.domid = start_self();
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_general_error);
    c = good;
    c.dest.domid = STRANGER;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_permission_denied);
    c = good;
    c.source.domid = STRANGER;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_permission_denied);
    c = good;
    c.dest.u.gmfn = frame_of(hole);
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_bad_page);
    c = good;
    c.dest.u.gmfn = UINT64_MAX;
    EXPECT(call_grant(GNTTABOP_copy, &c, 1) == 0 && c.status == GNTST_bad_page);
}

TEST(versions_sizes_and_what_is_not_there)
{
    struct gnttab_set_version two = {.version = 2};
    struct gnttab_set_version one = {.version = 1};
    struct gnttab_get_version get = {.dom = DOMID_SELF};
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_transfer transfer = {.mfn = 1, .domid = DOMID_SELF, .ref = 1};

    EXPECT(call_grant(GNTTABOP_set_version, &two, 1) == -XEN_EINVAL);
    EXPECT(call_grant(GNTTABOP_set_version, &one, 1) == 0);
    EXPECT(call_grant(GNTTABOP_get_version, &get, 1) == 0 && get.version == 1);
    EXPECT(call_grant(GNTTABOP_query_size, &size, 1) == 0 && size.status == GNTST_okay);
    EXPECT(size.nr_frames >= 1 && size.max_nr_frames >= size.nr_frames);
    size.dom = STRANGER;
    EXPECT(call_grant(GNTTABOP_query_size, &size, 1) == 0 &&
           size.status == GNTST_permission_denied);
    EXPECT(call_grant(GNTTABOP_transfer, &transfer, 1) == 0 &&
           transfer.status == GNTST_general_error);
    EXPECT(call_grant(GNTTABOP_dump_table, &size, 1) == -XEN_ENOSYS);
    EXPECT(call_grant(GNTTABOP_map_grant_ref, &size, UINT64_MAX) == -XEN_EINVAL);
    EXPECT(call_grant(GNTTABOP_copy, (void *)(uintptr_t)0xffff800000000000ull, 1) == -XEN_EFAULT);
}

TEST(the_table_grows_to_its_limit)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct xen_add_to_physmap place = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};
    struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = frame_of(hole)};

    if (!ready())
        return;
    EXPECT(call_grant(GNTTABOP_query_size, &size, 1) == 0);
    place.gpfn = frame_of(hole);
    place.idx = size.max_nr_frames;
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == -XEN_EINVAL);
    place.idx = size.max_nr_frames - 1;
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == 0);
    EXPECT(call_grant(GNTTABOP_query_size, &size, 1) == 0 && size.nr_frames == size.max_nr_frames);
    *(volatile uint32_t *)(void *)hole = 1;
    EXPECT(*(volatile uint32_t *)(void *)hole == 1);
    EXPECT(call_memory(XENMEM_remove_from_physmap, &remove) == 0);
}
