/* Fills a new domain's memory by hypercalls. */
#include "memory.h"

#include <errno.h>

#include <abi/addr.h>
#include <hcall.h>

/* Sizes of extents, in frames as powers of two: 1 GiB, 2 MiB, 4 KiB. */
static const unsigned orders[] = {18, 9, 0};
#define ORDER_COUNT (sizeof(orders) / sizeof(orders[0]))

/* Extents per call: a page of frame numbers. */
#define BATCH 512

/* How many extents of this order a range starts with; none if it is not aligned. */
static uint64_t extents_at(uint64_t gfn, uint64_t end, unsigned order)
{
    uint64_t frames = 1ull << order;

    return gfn % frames == 0 ? (end - gfn) / frames : 0;
}

/*
 * Populates up to a batch of extents of one order from gfn on; how many it were.
 * An order stops where the next larger one could go on.
 */
static int populate_batch(domid_t domid, uint64_t gfn, uint64_t count, unsigned index)
{
    static xen_pfn_t frames[BATCH];
    unsigned order = orders[index];
    struct xen_memory_reservation r = {.extent_order = order, .domid = domid};

    while (r.nr_extents < count && r.nr_extents < BATCH) {
        uint64_t next = gfn + (r.nr_extents << order);

        if (r.nr_extents > 0 && index > 0 && next % (1ull << orders[index - 1]) == 0)
            break;
        frames[r.nr_extents++] = next;
    }
    set_xen_guest_handle(r.extent_start, frames);
    return hcall_memory_populate(&r);
}

int memory_populate(domid_t domid, uint64_t gpa, uint64_t len)
{
    uint64_t gfn = gpa >> PAGE_SHIFT;
    uint64_t end = (gpa + len) >> PAGE_SHIFT;

    while (gfn < end) {
        int done = 0;

        /* The largest pieces first; where the host has none left, smaller ones. */
        for (unsigned i = 0; i < ORDER_COUNT && (done == 0 || done == -ENOMEM); i++) {
            uint64_t count = extents_at(gfn, end, orders[i]);

            if (count == 0)
                continue;
            done = populate_batch(domid, gfn, count, i);
            if (done > 0)
                gfn += (uint64_t)done << orders[i];
        }
        if (done <= 0)
            return done < 0 ? done : -ENOMEM;
    }
    return 0;
}

int memory_claim(domid_t domid, uint64_t gpa, uint64_t len)
{
    xen_pfn_t frame = gpa >> PAGE_SHIFT;
    struct xen_memory_reservation r = {
        .nr_extents = 1, .domid = domid, .mem_flags = BULKHEAD_POPULATE_EXACT};
    int done;

    while (1ull << (PAGE_SHIFT + r.extent_order) < len)
        r.extent_order++;
    set_xen_guest_handle(r.extent_start, &frame);
    done = hcall_memory_populate(&r);
    return done < 0 ? done : done == 1 ? 0 : -ENOMEM;
}

int memory_load(domid_t domid, uint64_t gpa, const void *bytes, size_t len)
{
    struct bulkhead_memory_copy copy = {
        .domid = domid, .gpa = gpa, .buffer = (uint64_t)(uintptr_t)bytes, .len = len};

    return len > 0 ? hcall_memory_copy(&copy) : 0;
}

int memory_clear(domid_t domid, uint64_t gpa, uint64_t len)
{
    static const uint8_t zeroes[16 * PAGE_SIZE];
    int rc = 0;

    for (uint64_t step; len > 0 && rc >= 0; gpa += step, len -= step) {
        step = len < sizeof(zeroes) ? len : sizeof(zeroes);
        rc = memory_load(domid, gpa, zeroes, (size_t)step);
    }
    return rc;
}
