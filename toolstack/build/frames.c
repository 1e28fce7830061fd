/* A domain's memory: how much, where, and the frames. */
#include "steps.h"

#include "acpi.h"
#include "exact.h"
#include "memory.h"

#include <errno.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <hcall.h>

static int no_memory(struct build *b, const char *what)
{
    const struct domain_config *c = b->order.config;

    return build_fail(b, -ENOMEM, c->memory_line,
                      "the host has not enough %s for %llu MiB: ask for less", what,
                      (unsigned long long)(c->memory_bytes / MIB));
}

int step_plan_memory(struct build *b)
{
    const struct domain_config *c = b->order.config;

    b->exact = exact_is_needed(c);
    b->request = (struct layout_request){
        .memory = (c->memory_bytes + PAGE_MASK) & ~(uint64_t)PAGE_MASK,
        .kernel_start = b->image.start,
        .kernel_end = b->image.end,
        .initrd_len = b->initrd.len,
        .has_devices = config_is_driver(c),
    };
    return 0;
}

/* RAM, the page of ACPI tables, the pages shared with services. */
int step_allow_memory(struct build *b)
{
    const struct domain_config *c = b->order.config;
    struct bulkhead_host_info host = {0};
    struct xen_domctl op = build_control(b->domid);
    int rc = hcall_host_info(&host);

    if (rc >= 0 && host.free_bytes < b->request.memory)
        return build_fail(b, -ENOMEM, c->memory_line,
                          "%llu MiB of memory, but the host has %llu MiB free: ask for less",
                          (unsigned long long)(c->memory_bytes / MIB),
                          (unsigned long long)(host.free_bytes / MIB));
    op.cmd = XEN_DOMCTL_max_mem;
    op.u.max_mem.max_memkb = (b->request.memory + (b->exact ? EXACT_MORE : 0) + ACPI_LEN_MAX +
                              LAYOUT_SPECIAL_SIZE + b->order.survivor) /
                             1024;
    rc = hcall_control_max_mem(&op);
    return rc < 0 ? build_refused(b, rc, "allow the domain its memory") : 0;
}

/* Where memory lies decides what fits, so it is taken first. */
int step_take_exact(struct build *b)
{
    const struct domain_config *c = b->order.config;
    int rc;

    if (!b->exact)
        return 0;
    b->made_cmdline = exact_cmdline(b->cmdline);
    if (!b->made_cmdline)
        return build_fail(b, -ENOMEM, c->line, "no memory to build the domain");
    b->cmdline = b->made_cmdline;
    rc = exact_take(b->domid, &b->request);
    if (rc == -ENOSPC)
        return build_fail(
            b, rc, c->kernel_line,
            "%s must stand at %llu MiB in the machine, and that is taken: without an IOMMU "
            "only one domain with such a kernel may own PCI functions",
            c->kernel, (unsigned long long)(b->image.start / MIB));
    if (rc == -ENOMEM)
        return no_memory(b, "low memory left");
    return rc < 0 ? build_refused(b, rc, "give the domain the machine's own memory") : 0;
}

int step_find_places(struct build *b)
{
    const struct domain_config *c = b->order.config;
    const char *why;
    int rc;

    b->request.cmdline_len = strlen(b->cmdline);
    rc = layout_find(&b->request, &b->layout, &why);
    return rc != 0
               ? build_fail(b, rc, c->memory_line, "%llu MiB of memory are too few, %s: give more",
                            (unsigned long long)(c->memory_bytes / MIB), why)
               : 0;
}

#define RANGES_MAX (LAYOUT_RAM_MAX + 6)

struct ranges {
    struct layout_range range[RANGES_MAX];
    unsigned count;
};

static void add_range(struct ranges *r, uint64_t start, uint64_t len)
{
    r->range[r->count++] = (struct layout_range){start, start + len};
}

/* All that it has but for its rings. What is taken exactly was taken before. */
static struct ranges ranges_of(const struct build *b)
{
    struct ranges r = {.count = 0};

    for (unsigned i = 0; b->request.ram_count == 0 && i < b->layout.ram_count; i++)
        add_range(&r, b->layout.ram[i].start, b->layout.ram[i].end - b->layout.ram[i].start);
    add_range(&r, LAYOUT_ACPI_BASE, ACPI_LEN_MAX);
    if (config_is_image(b->order.config)) {
        add_range(&r, LAYOUT_SURVIVOR_BASE, LAYOUT_SURVIVOR_SIZE);
        add_range(&r, LAYOUT_LIFE_PAGE, PAGE_SIZE);
    }
    if (b->order.survivor > 0)
        add_range(&r, LAYOUT_LARGE_SURVIVOR_BASE, b->order.survivor);
    return r;
}

static int give_ranges(struct build *b, const struct ranges *r,
                       int (*give)(domid_t, uint64_t, uint64_t))
{
    int rc = 0;

    for (unsigned i = 0; rc >= 0 && i < r->count; i++)
        rc = give(b->domid, r->range[i].start, r->range[i].end - r->range[i].start);
    if (rc == -ENOMEM)
        return no_memory(b, "memory left");
    return rc < 0 ? build_refused(b, rc, "give the domain memory") : 0;
}

int step_give_memory(struct build *b)
{
    struct ranges r = ranges_of(b);

    return give_ranges(b, &r, memory_populate);
}

/*
 * A last life may have given some of its memory back. Looking for the places takes
 * time, and is not for one that has all its frames.
 */
int step_mend_memory(struct build *b)
{
    struct bulkhead_domain_stats stats = {.domid = b->domid};
    struct ranges r = ranges_of(b);
    uint64_t bytes = 0;
    int rc = hcall_domain_stats(&stats);

    if (rc < 0)
        return build_refused(b, rc, "tell how much memory the domain has");
    if (b->order.store != DOMID_INVALID)
        add_range(&r, LAYOUT_STORE_PAGE, PAGE_SIZE);
    if (b->order.console != DOMID_INVALID)
        add_range(&r, LAYOUT_CONSOLE_PAGE, PAGE_SIZE);
    for (unsigned i = 0; i < r.count; i++)
        bytes += r.range[i].end - r.range[i].start;
    return stats.frames * PAGE_SIZE >= bytes ? 0 : give_ranges(b, &r, memory_mend);
}
