/* Memory calls: RAM that comes and goes, pages of the core, and what lies where nothing is. */
#include "call.h"
#include "check.h"
#include "cpu.h"
#include "event.h"
#include "result.h"
#include "start.h"
#include "trap.h"

#include <abi/addr.h>
#include <abi/memory.h>

#define STRANGER 0u
#define NOBODY   0x7000u
#define FAR_GFN  (1ull << 60)

static uint8_t page[2][PAGE_SIZE] __attribute__((aligned(4096)));

static uint64_t frame_of(const void *p)
{
    return call_address(p) / PAGE_SIZE;
}

static long reserve(uint64_t op, xen_pfn_t *list, unsigned count, unsigned order, domid_t who)
{
    struct xen_memory_reservation r = {.nr_extents = count, .extent_order = order, .domid = who};

    set_xen_guest_handle(r.extent_start, list);
    return call_memory(op, &r);
}

TEST(a_page_goes_and_a_clean_one_comes)
{
    xen_pfn_t list[2] = {frame_of(page[0]), frame_of(page[1])};
    domid_t self = DOMID_SELF;
    long before = call_memory(XENMEM_current_reservation, &self);

    page[0][5] = 0x11;
    page[1][5] = 0x22;
    EXPECT(reserve(XENMEM_decrease_reservation, list, 2, 0, DOMID_SELF) == 2);
    EXPECT(call_memory(XENMEM_current_reservation, &self) == before - 2);
    EXPECT(*(volatile uint8_t *)&page[0][5] == 0xff);
    EXPECT(reserve(XENMEM_populate_physmap, list, 2, 0, DOMID_SELF) == 2);
    EXPECT(call_memory(XENMEM_current_reservation, &self) == before);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        EXPECT(((volatile uint8_t *)page[0])[i] == 0 && ((volatile uint8_t *)page[1])[i] == 0);
}

TEST(what_is_written_to_nothing_is_gone)
{
    xen_pfn_t gfn = frame_of(page[0]);

    EXPECT(reserve(XENMEM_decrease_reservation, &gfn, 1, 0, DOMID_SELF) == 1);
    *(volatile uint64_t *)(void *)page[0] = 0x1234;
    EXPECT(reserve(XENMEM_populate_physmap, &gfn, 1, 0, DOMID_SELF) == 1);
    EXPECT(*(volatile uint64_t *)(void *)page[0] == 0);
}

TEST(reservations_that_are_refused)
{
    xen_pfn_t gfn = frame_of(page[0]);
    xen_pfn_t far = FAR_GFN;
    xen_pfn_t apic = 0xfee00;

    /* RAM is there already. */
    EXPECT(reserve(XENMEM_populate_physmap, &gfn, 1, 0, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_populate_physmap, &far, 1, 0, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_decrease_reservation, &far, 1, 0, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_decrease_reservation, &apic, 1, 0, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_populate_physmap, &gfn, 1, 63, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_populate_physmap, &gfn, 1, 18, DOMID_SELF) == 0);
    EXPECT(reserve(XENMEM_populate_physmap, &gfn, 1, 0, STRANGER) == -XEN_EPERM);
    EXPECT(reserve(XENMEM_decrease_reservation, &gfn, 1, 0, NOBODY) == -XEN_EPERM);
    /* A list that lies nowhere. */
    EXPECT(reserve(XENMEM_decrease_reservation, (xen_pfn_t *)0xffff800000000000ull, 4, 0,
                   DOMID_SELF) == 0);
    *(volatile uint8_t *)page[0] = 1;
    EXPECT(*(volatile uint8_t *)page[0] == 1);
}

TEST(no_more_than_the_allowance)
{
    domid_t self = DOMID_SELF;
    long now = call_memory(XENMEM_current_reservation, &self);
    long most = call_memory(XENMEM_maximum_reservation, &self);
    long got = 0;
    xen_pfn_t gfn = 0x200000; /* at 8 GiB, where nothing is */

    EXPECT(now > 0 && most >= now);
    while (reserve(XENMEM_populate_physmap, &gfn, 1, 0, DOMID_SELF) == 1) {
        got++;
        gfn++;
        if (got > most)
            break;
    }
    EXPECT(got == most - now);
    for (long i = 0; i < got; i++) {
        gfn--;
        EXPECT(reserve(XENMEM_decrease_reservation, &gfn, 1, 0, DOMID_SELF) == 1);
    }
}

/* Thousands of extents take longer than one call may; it goes on by itself. */
TEST(a_long_list_is_done_whole)
{
    static xen_pfn_t list[512];
    static uint8_t arena[512 * PAGE_SIZE] __attribute__((aligned(4096)));

    for (unsigned i = 0; i < 512; i++)
        list[i] = frame_of(arena) + i;
    for (unsigned round = 0; round < 4; round++) {
        EXPECT(reserve(XENMEM_decrease_reservation, list, 512, 0, DOMID_SELF) == 512);
        EXPECT(reserve(XENMEM_populate_physmap, list, 512, 0, DOMID_SELF) == 512);
    }
    arena[511 * PAGE_SIZE] = 3;
    EXPECT(*(volatile uint8_t *)&arena[511 * PAGE_SIZE] == 3);
}

TEST(shared_info_moves)
{
    struct xen_add_to_physmap place = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = frame_of(page[0])};
    struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = frame_of(page[1])};
    volatile struct shared_info *first = (volatile struct shared_info *)(void *)page[0];
    volatile struct shared_info *second = (volatile struct shared_info *)(void *)page[1];
    xen_pfn_t both[2] = {frame_of(page[0]), frame_of(page[1])};

    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == 0);
    EXPECT(first->wc_sec > 1600000000u);
    EXPECT(first->vcpu_info[0].time.tsc_to_system_mul != 0);
    place.gpfn = frame_of(page[1]);
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == 0);
    EXPECT(second->wc_sec > 1600000000u);
    EXPECT(*(volatile uint8_t *)page[0] == 0xff);
    EXPECT(call_memory(XENMEM_remove_from_physmap, &remove) == 0);
    EXPECT(call_memory(XENMEM_remove_from_physmap, &remove) == -XEN_EINVAL);
    EXPECT(reserve(XENMEM_populate_physmap, both, 2, 0, DOMID_SELF) == 2);
}

TEST(places_that_are_refused)
{
    struct xen_add_to_physmap place = {
        .domid = STRANGER, .space = XENMAPSPACE_shared_info, .gpfn = frame_of(page[0])};

    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == -XEN_EPERM);
    place.domid = DOMID_SELF;
    place.gpfn = FAR_GFN;
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == -XEN_EINVAL);
    place.gpfn = frame_of(page[0]);
    place.idx = 1;
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == -XEN_EINVAL);
    place.space = XENMAPSPACE_gmfn_foreign;
    EXPECT(call_memory(XENMEM_add_to_physmap, &place) == -XEN_EINVAL);
    EXPECT(call_memory(XENMEM_exchange, &place) == -XEN_ENOSYS);
    EXPECT(call_memory(XENMEM_acquire_resource, &place) == -XEN_ENOSYS);
}

TEST(questions)
{
    domid_t self = DOMID_SELF;
    domid_t stranger = STRANGER;

    EXPECT(call_memory(XENMEM_maximum_ram_page, NULL) > 0);
    EXPECT(call_memory(XENMEM_maximum_gpfn, &self) > 0);
    EXPECT(call_memory(XENMEM_maximum_gpfn, &stranger) == -XEN_EPERM);
    EXPECT(call_memory(XENMEM_current_reservation, &stranger) == -XEN_EPERM);
}
