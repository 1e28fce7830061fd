/* Fills a new domain's memory by hypercalls. */
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <abi/addr.h>
#include <hcall.h>

/* Sizes of extents, in frames as powers of two: 1 GiB, 2 MiB, 4 KiB. */
static const unsigned orders[] = {18, 9, 0};
#define ORDER_COUNT (sizeof(orders) / sizeof(orders[0]))

/* Extents per call: a page of frame numbers. */
#define BATCH 512

/* Bytes at a time, where they lie in between. */
#define PIECE (16 * PAGE_SIZE)

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

/* Whether there is memory all over a piece. */
static bool is_there(domid_t domid, uint64_t gpa, uint64_t len)
{
    static uint8_t bytes[PIECE];
    struct bulkhead_memory_copy copy = {.domid = domid,
                                        .flags = BULKHEAD_COPY_READ,
                                        .gpa = gpa,
                                        .buffer = (uint64_t)(uintptr_t)bytes,
                                        .len = len};

    return hcall_memory_copy(&copy) >= 0;
}

int memory_mend(domid_t domid, uint64_t gpa, uint64_t len)
{
    int rc = 0;

    for (uint64_t end = gpa + len, next; gpa < end && rc >= 0; gpa = next) {
        next = end - gpa < PIECE ? end : gpa + PIECE;
        if (is_there(domid, gpa, next - gpa))
            continue;
        for (uint64_t page = gpa; page < next && rc >= 0; page += PAGE_SIZE)
            if (!is_there(domid, page, PAGE_SIZE))
                rc = memory_populate(domid, page, PAGE_SIZE);
    }
    return rc;
}

int memory_load(domid_t domid, uint64_t gpa, const void *bytes, size_t len)
{
    struct bulkhead_memory_copy copy = {
        .domid = domid, .gpa = gpa, .buffer = (uint64_t)(uintptr_t)bytes, .len = len};

    return len > 0 ? hcall_memory_copy(&copy) : 0;
}

/*
 * Code that is not written need not be fetched and, in an emulator, translated
 * anew: with that a domain's next life takes several times as long to begin.
 */
int memory_reload(domid_t domid, uint64_t gpa, const void *bytes, size_t len)
{
    static uint8_t there[PIECE];
    const uint8_t *wanted = bytes;
    int rc = 0;

    for (size_t at = 0, step; at < len && rc >= 0; at += step) {
        struct bulkhead_memory_copy copy = {.domid = domid,
                                            .flags = BULKHEAD_COPY_READ,
                                            .gpa = gpa + at,
                                            .buffer = (uint64_t)(uintptr_t)there};

        copy.len = step = len - at < sizeof(there) ? len - at : sizeof(there);
        rc = hcall_memory_copy(&copy);
        for (size_t i = 0; i < step && rc >= 0; i += PAGE_SIZE) {
            size_t n = step - i < PAGE_SIZE ? step - i : PAGE_SIZE;

            if (memcmp(there + i, wanted + at + i, n) != 0)
                rc = memory_load(domid, gpa + at + i, wanted + at + i, n);
        }
    }
    return rc;
}

int memory_clear(domid_t domid, uint64_t gpa, uint64_t len)
{
    static const uint8_t zeroes[PIECE];
    int rc = 0;

    for (uint64_t step; len > 0 && rc >= 0; gpa += step, len -= step) {
        step = len < sizeof(zeroes) ? len : sizeof(zeroes);
        rc = memory_load(domid, gpa, zeroes, (size_t)step);
    }
    return rc;
}
