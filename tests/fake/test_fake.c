/* The pretend hypervisor keeps the promises that tests build on. */
#include "fake_hv.h"

#include <string.h>

#include <abi/hvm.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "check.h"

static evtchn_port_t connect(domid_t here, domid_t there, evtchn_port_t there_port)
{
    domid_t before = fake_enter(here);
    struct evtchn_bind_interdomain bind = {.remote_dom = there, .remote_port = there_port};

    EXPECT(hcall_event_bind_interdomain(&bind) == 0);
    event_open(bind.local_port);
    (void)fake_enter(before);
    return bind.local_port;
}

TEST(events_cross_and_unbind)
{
    fake_reset();

    evtchn_port_t theirs = fake_port(2, 1);
    evtchn_port_t ours = connect(1, 2, theirs);

    (void)fake_enter(1);
    EXPECT(event_next() == ours);
    EXPECT(event_next() == EVENT_NONE);
    (void)fake_enter(2);
    event_open(theirs);
    EXPECT(hcall_event_send(&(struct evtchn_send){theirs}) == 0);
    EXPECT(fake_pending(1, ours));
    fake_destroy(1);
    EXPECT(hcall_event_send(&(struct evtchn_send){theirs}) == 0);
    EXPECT(connect(1, 2, theirs) == ours);
    EXPECT(hcall_event_send(&(struct evtchn_send){99}) == -XEN_EINVAL);
}

static bool wake(void *context)
{
    unsigned *left = context;

    if (*left == 0)
        return false;
    (*left)--;
    (void)fake_enter(2);
    (void)hcall_event_send(&(struct evtchn_send){1});
    return true;
}

TEST(waiting_runs_the_others)
{
    unsigned left = 1;

    fake_reset();
    evtchn_port_t theirs = fake_port(2, 1);
    evtchn_port_t ours = connect(1, 2, theirs);

    (void)fake_enter(1);
    fake_idle(wake, &left);
    EXPECT(event_next() == ours);
    EXPECT(event_wait(EVENT_FOREVER) == ours);
    EXPECT(fake_current() == 1);
    EXPECT(event_wait(EVENT_FOREVER) == EVENT_NONE);
    uint64_t deadline = clock_now() + 5;

    EXPECT(event_wait(deadline) == EVENT_NONE && clock_now() == deadline);
    left = 1;
    EXPECT(event_wait_port(ours + 1, clock_now() + 5) == EVENT_NONE);
    EXPECT(event_wait_port(ours, EVENT_FOREVER) == ours);
}

TEST(a_mapped_grant_is_the_same_page)
{
    fake_reset();
    (void)fake_enter(2);

    char *page = memory_pages_alloc(1);

    fake_grant(2, 8, 1, page, false);
    strcpy(page, "shared");
    (void)fake_enter(1);

    char *space = memory_space_alloc(1);
    struct gnttab_map_grant_ref map = {
        .host_addr = (uintptr_t)space, .flags = GNTMAP_host_map, .ref = 8, .dom = 2};

    EXPECT(hcall_grant_map(&map, 1) == 0 && map.status == GNTST_okay);
    EXPECT(strcmp(space, "shared") == 0);
    strcpy(space, "changed");
    EXPECT(strcmp(page, "changed") == 0);
    EXPECT(fake_grant_table(2)[8].flags == (GTF_permit_access | GTF_reading | GTF_writing));
    EXPECT(fake_grants_mapped(2) == 1 && fake_mappings(1) == 1);

    struct gnttab_unmap_grant_ref unmap = {.host_addr = (uintptr_t)space, .handle = map.handle};

    EXPECT(hcall_grant_unmap(&unmap, 1) == 0 && unmap.status == GNTST_okay);
    EXPECT(hcall_grant_unmap(&unmap, 1) == 0 && unmap.status == GNTST_bad_handle);
    EXPECT(fake_grant_table(2)[8].flags == GTF_permit_access);
    (void)fake_enter(3);
    map.host_addr = (uintptr_t)memory_space_alloc(1);
    EXPECT(hcall_grant_map(&map, 1) == 0 && map.status == GNTST_bad_gntref);
}

TEST(copies_check_both_sides)
{
    fake_reset();
    (void)fake_enter(2);

    char *page = memory_pages_alloc(1);

    fake_grant(2, 8, 1, page, true);
    strcpy(page + 100, "out");
    (void)fake_enter(1);

    char *own = memory_pages_alloc(1);
    struct gnttab_copy op = {.source = {.u.ref = 8, .domid = 2, .offset = 100},
                             .dest = {.u.gmfn = memory_gfn(own), .domid = DOMID_SELF},
                             .len = 4,
                             .flags = GNTCOPY_source_gref};

    EXPECT(hcall_grant_copy(&op, 1) == 0 && op.status == GNTST_okay && strcmp(own, "out") == 0);
    op.len = 4000;
    EXPECT(hcall_grant_copy(&op, 1) == 0 && op.status == GNTST_bad_copy_arg);
    struct gnttab_copy back = {.source = {.u.gmfn = memory_gfn(own), .domid = DOMID_SELF},
                               .dest = {.u.ref = 8, .domid = 2},
                               .len = 4,
                               .flags = GNTCOPY_dest_gref};

    EXPECT(hcall_grant_copy(&back, 1) == 0 && back.status == GNTST_bad_gntref);
}

TEST(a_domain_stops_at_an_effect)
{
    jmp_buf stopped;
    volatile unsigned sent = 0;

    fake_reset();
    (void)connect(1, 2, fake_port(2, 1));
    (void)fake_enter(2);
    fake_stop_at(2, 3, &stopped);
    if (setjmp(stopped) == 0)
        for (;;) {
            (void)hcall_event_send(&(struct evtchn_send){1});
            sent++;
        }
    EXPECT(sent == 2 && fake_effects(2) == 3);
}

/* What the core's domain_reset does, to the ports, the mappings and the memory of a domain. */
TEST(a_reset_keeps_what_the_builder_made)
{
    fake_reset();
    (void)fake_enter(2);

    char *page = memory_pages_alloc(1);

    fake_grant(2, 8, 1, page, false);
    (void)fake_enter(1);

    char *ring = memory_pages_alloc(1), *own = memory_pages_alloc(1);
    char *space = memory_space_alloc(1);
    uint64_t *kept = memory_survivor(8);
    evtchn_port_t store = fake_port(1, 7), theirs = fake_port(2, 1);
    evtchn_port_t ours = connect(1, 2, theirs);
    struct gnttab_map_grant_ref map = {
        .host_addr = (uintptr_t)space, .flags = GNTMAP_host_map, .ref = 8, .dom = 2};

    fake_param(1, HVM_PARAM_STORE_PFN, memory_gfn(ring));
    fake_param(1, HVM_PARAM_STORE_EVTCHN, store);
    (void)fake_enter(1);
    EXPECT(hcall_grant_map(&map, 1) == 0 && map.status == GNTST_okay);
    EXPECT(fake_device_reaches(1, (uintptr_t)page, true) && fake_ports(1) == 2);
    own[0] = 'x';
    *kept = 99;
    fake_domain_reset(1);
    EXPECT(fake_mappings(1) == 0 && fake_grant_table(2)[8].flags == GTF_permit_access);
    EXPECT(!fake_device_reaches(1, (uintptr_t)page, false));
    EXPECT(fake_ports(1) == 1 && !fake_pending(1, store) && fake_space(1) == 0);
    EXPECT(fake_pages(1) == 1 + FAKE_GRANTS * sizeof(struct grant_entry_v1) / PAGE_SIZE &&
           own[0] == 'x' && *kept == 99);
    /* The peer's end waits for the same domain. */
    (void)fake_enter(2);
    EXPECT(hcall_event_send(&(struct evtchn_send){theirs}) == 0);
    EXPECT(connect(1, 2, theirs) == ours);
}
