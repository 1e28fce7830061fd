/* From an untidy memory map to disjoint runs of pages, and a place for the pool. */
#include "mm/plan.h"

#include <abi/xen.h>

#define LOW_END     0x100000u /* firmware, and start-up code of further CPUs, live below */
#define POOL_ALIGN  0x200000u
#define PLACE_BELOW 0x40000000u
#define POOL_FIXED  0x400000u /* with 1 % of memory: all that the core takes, image included */
#define POOL_LEAST  0x200000u

static uint64_t page_down(uint64_t v)
{
    return v & ~(uint64_t)PAGE_MASK;
}

static uint64_t page_up(uint64_t v)
{
    return v > UINT64_MAX - PAGE_MASK ? page_down(UINT64_MAX) : page_down(v + PAGE_MASK);
}

static bool overlaps(struct memory_range a, struct memory_range b)
{
    return a.start < b.end && b.start < a.end;
}

/* Too many pieces: the rest is not used, which is the safe side. Larger ones come first. */
static void range_append(struct plan *plan, struct memory_range r)
{
    if (r.start < r.end && plan->free_count < PLAN_RANGES)
        plan->free[plan->free_count++] = r;
}

static void range_cut(struct plan *plan, struct memory_range cut)
{
    for (unsigned i = 0; i < plan->free_count;) {
        struct memory_range r = plan->free[i];
        if (cut.start >= cut.end || !overlaps(r, cut)) {
            i++;
            continue;
        }
        plan->free[i] = plan->free[--plan->free_count];
        struct memory_range left = {r.start, cut.start > r.start ? cut.start : r.start};
        struct memory_range right = {cut.end < r.end ? cut.end : r.end, r.end};
        bool left_first = left.end - left.start > right.end - right.start;
        range_append(plan, left_first ? left : right);
        range_append(plan, left_first ? right : left);
    }
}

static uint64_t range_sum(const struct plan *plan)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < plan->free_count; i++)
        sum += plan->free[i].end - plan->free[i].start;
    return sum;
}

/*
 * The highest place below a limit; 0: none. A kernel that is not moved, such as
 * Linux at 16 MiB, may need its own place in the machine for a domain without an
 * IOMMU, and large blocks lie above 1 GiB.
 */
static uint64_t place_find(const struct plan *plan, uint64_t size, uint64_t limit)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < plan->free_count; i++) {
        struct memory_range r = plan->free[i];
        uint64_t end = r.end < limit ? r.end : limit;
        uint64_t start = end < size ? 0 : (end - size) & ~(uint64_t)(POOL_ALIGN - 1);
        if (start >= r.start && start > best)
            best = start;
    }
    return best;
}

/* Boot loaders put it where they find it easy: it goes up, if all of it is RAM. */
static void module_place(struct plan *plan)
{
    uint64_t len = plan->module.end - plan->module.start, sum = range_sum(plan);

    range_cut(plan, plan->module);
    uint64_t to = place_find(plan, len, PLACE_BELOW);
    plan->module_from = plan->module.start;
    if (len == 0 || sum - range_sum(plan) != len || to < plan->module.start)
        return;
    range_append(plan, plan->module);
    plan->module = (struct memory_range){to, to + len};
    range_cut(plan, plan->module);
}

static void frames_count(struct plan *plan)
{
    const struct memory_range others[] = {plan->image, plan->module, plan->pool};
    uint64_t end = 0;

    for (unsigned i = 0; i < plan->free_count; i++)
        end = plan->free[i].end > end ? plan->free[i].end : end;
    for (unsigned i = 0; i < 3; i++)
        end = others[i].end > end ? others[i].end : end;
    plan->frames = end >> PAGE_SHIFT;
}

int plan_make(struct plan *plan, const struct plan_input *in)
{
    plan->free_count = 0;
    plan->image = (struct memory_range){page_down(in->image.start), page_up(in->image.end)};
    plan->module = (struct memory_range){page_down(in->module.start), page_up(in->module.end)};
    for (unsigned i = 0; i < in->range_count; i++) {
        if (!in->is_ram[i])
            continue;
        struct memory_range r = {page_up(in->range[i].start), page_down(in->range[i].end)};
        range_cut(plan, r); /* RAM that was reported twice */
        range_append(plan, r);
    }
    for (unsigned i = 0; i < in->range_count; i++)
        if (!in->is_ram[i])
            range_cut(plan, (struct memory_range){page_down(in->range[i].start),
                                                  page_up(in->range[i].end)});
    plan->ram = range_sum(plan);
    range_cut(plan, (struct memory_range){0, LOW_END});
    range_cut(plan, plan->image);
    module_place(plan);

    uint64_t size = POOL_FIXED + plan->ram / 100;
    uint64_t image = plan->image.end - plan->image.start;
    if (size < image + POOL_LEAST)
        return -XEN_ENOMEM;
    size = page_down(size - image);
    uint64_t place = place_find(plan, size, PLACE_BELOW);
    if (!place && !(place = place_find(plan, size, in->reach)))
        return -XEN_ENOMEM;
    plan->pool = (struct memory_range){place, place + size};
    range_cut(plan, plan->pool);
    frames_count(plan);
    return 0;
}

bool plan_covers(const struct plan *plan, struct memory_range range)
{
    if (overlaps(range, plan->image) || overlaps(range, plan->module) ||
        overlaps(range, plan->pool))
        return true;
    for (unsigned i = 0; i < plan->free_count; i++)
        if (overlaps(range, plan->free[i]))
            return true;
    return false;
}
