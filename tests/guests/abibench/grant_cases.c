/* Grant copies of own pages, by frame and by reference; an own grant mapped over a hole. */
#include "bench.h"
#include "call.h"
#include "console.h"
#include "cpu.h"
#include "start.h"

#include <abi/grant.h>
#include <abi/memory.h>

#define PAGE         4096u
#define REF_SOURCE   16u
#define REF_TARGET   17u
#define REF_MAP      18u
#define WRONG_RESULT (-1000)
#define MAP_BYTE     0x5a

static uint8_t table[PAGE] __attribute__((aligned(4096)));
static uint8_t source[PAGE] __attribute__((aligned(4096)));
static uint8_t target[PAGE] __attribute__((aligned(4096)));
static uint8_t hole[PAGE] __attribute__((aligned(4096)));
static uint8_t granted[PAGE] __attribute__((aligned(4096)));
static bool has_table;

static uint64_t frame_of(const void *page)
{
    return call_address(page) / PAGE;
}

void bench_grant_init(void)
{
    struct gnttab_set_version version = {.version = 1};
    struct xen_add_to_physmap request = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = frame_of(table)};
    long status;

    call_grant(GNTTABOP_set_version, &version, 1);
    status = call_memory(XENMEM_add_to_physmap, &request);
    if (status)
        console_print("info grant_table rc=%ld\n", status);
    has_table = !status && start_self() != DOMID_INVALID;
}

static void grant(unsigned ref, const void *page, uint16_t flags)
{
    struct grant_entry_v1 *entry = (struct grant_entry_v1 *)(void *)table + ref;

    entry->domid = start_self();
    entry->frame = (uint32_t)frame_of(page);
    __atomic_store_n(&entry->flags, (uint16_t)(GTF_permit_access | flags), __ATOMIC_RELEASE);
}

/* Tries the copy once and checks it, then measures it. */
static void copy_cost(const char *name, struct gnttab_copy *copy)
{
    long status;

    for (unsigned i = 0; i < PAGE; i++) {
        source[i] = (uint8_t)(i * 7 + 3);
        target[i] = 0;
    }
    status = call_grant(GNTTABOP_copy, copy, 1);
    if (!status)
        status = copy->status;
    if (!status && target[copy->len - 1] != source[copy->len - 1])
        status = WRONG_RESULT;
    if (status) {
        bench_skip(name, status);
        return;
    }
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        call_grant(GNTTABOP_copy, copy, 1);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report(name, bench_samples[0], bench_count);
}

/* For comparison: the same copy done by the guest itself. */
static void own_copy_cost(void)
{
    for (unsigned i = 0; i < bench_count; i++) {
        void *to = target;
        const void *from = source;
        uint64_t words = PAGE / 8;
        uint64_t start = cpu_tsc();

        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("guest_memcpy_4k", bench_samples[0], bench_count);
}

void bench_grant_copy(void)
{
    struct gnttab_copy copy = {
        .source = {.u.gmfn = frame_of(source), .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(target), .domid = DOMID_SELF},
        .len = PAGE,
    };

    copy_cost("grant_copy_gmfn_4k", &copy);
    if (!has_table) {
        bench_skip("grant_copy_gref_4k", -1);
        return;
    }
    grant(REF_SOURCE, source, GTF_readonly);
    grant(REF_TARGET, target, 0);
    copy.flags = GNTCOPY_source_gref;
    copy.source.u.ref = REF_SOURCE;
    copy_cost("grant_copy_gref_4k", &copy);
    copy.len = 64;
    copy_cost("grant_copy_gref_64b", &copy);
    copy.len = PAGE;
    copy.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
    copy.dest.u.ref = REF_TARGET;
    copy_cost("grant_copy_gref2gref_4k", &copy);
    own_copy_cost();
}

static long make_hole(void)
{
    xen_pfn_t frame = frame_of(hole);
    struct xen_memory_reservation request = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(request.extent_start, &frame);
    return call_memory(XENMEM_decrease_reservation, &request) == 1 ? 0 : -1;
}

static long map(struct gnttab_map_grant_ref *request)
{
    long status = call_grant(GNTTABOP_map_grant_ref, request, 1);

    return status ? status : request->status;
}

static long unmap(const struct gnttab_map_grant_ref *mapping)
{
    struct gnttab_unmap_grant_ref request = {.host_addr = mapping->host_addr,
                                             .handle = mapping->handle};
    long status = call_grant(GNTTABOP_unmap_grant_ref, &request, 1);

    return status ? status : request.status;
}

/* A hypervisor may refuse, or move the frame; what the mapping shows is checked. */
static long try_map(struct gnttab_map_grant_ref *request)
{
    const volatile uint8_t *mapped = &hole[5];
    const volatile uint8_t *own = &granted[5];
    unsigned by_map;
    unsigned by_own;
    unsigned after;
    long status = make_hole();

    if (!status)
        status = map(request);
    if (status)
        return status;
    by_map = *mapped;
    by_own = *own;
    status = unmap(request);
    after = *own;
    console_print("info grant_map_self via_map=%x via_own=%x after_unmap=%x\n", by_map, by_own,
                  after);
    if (!status && (by_map != MAP_BYTE || by_own != MAP_BYTE || after != MAP_BYTE))
        status = WRONG_RESULT;
    return status;
}

void bench_grant_map(void)
{
    bool owns = start_option("device") != NULL;
    struct gnttab_map_grant_ref request = {
        .host_addr = call_address(hole), .flags = GNTMAP_host_map, .ref = REF_MAP};
    long status = -1;

    if (has_table) {
        for (unsigned i = 0; i < PAGE; i++)
            granted[i] = MAP_BYTE;
        grant(REF_MAP, granted, 0);
        request.dom = start_self();
        status = try_map(&request);
    }
    for (unsigned i = 0; !status && i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        status = map(&request);
        bench_samples[0][i] = cpu_tsc() - start;
        if (status)
            break;
        start = cpu_tsc();
        status = unmap(&request);
        bench_samples[1][i] = cpu_tsc() - start;
    }
    if (status) {
        bench_skip("grant_map_self", status);
        return;
    }
    bench_report(owns ? "grant_map_device" : "grant_map_self", bench_samples[0], bench_count);
    bench_report(owns ? "grant_unmap_device" : "grant_unmap_self", bench_samples[1], bench_count);
}
