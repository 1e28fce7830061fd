/* The sequence that makes a domain: images, frames, content, shared pages, devices, vCPU. */
#include "domain.h"

#include "acpi.h"
#include "exact.h"
#include "life.h"
#include "memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <abi/start.h>
#include <config/group.h>
#include <hcall.h>
#include <rt/clock.h>

#define MIB (1ull << 20)

static int fail(struct build *b, int rc, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Keeps the reason; the caller returns what this returns. */
static int fail(struct build *b, int rc, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(b->error.text, sizeof(b->error.text), format, args);
    va_end(args);
    b->error.line = line;
    return rc;
}

/* For what the core refuses although everything was checked: its number is all there is to say. */
static int refused(struct build *b, int rc, const char *what)
{
    return fail(b, rc, b->order.config->line, "the core refused to %s: %s", what, strerror(-rc));
}

static int open_file(struct build *b, const char *path, unsigned line, struct mapped *file)
{
    int rc = mapped_open(b->order.root, path, file);

    if (rc == -ENOENT)
        return fail(b, rc, line, "there is no file %s: name one that is in the bundle", path);
    if (rc != 0)
        return fail(b, rc, line, "%s cannot be read: %s", path, strerror(-rc));
    return 0;
}

static int open_images(struct build *b)
{
    const struct domain_config *c = b->order.config;
    const char *why;
    const char *kernel = b->order.kernel ? b->order.kernel : c->kernel;
    int rc = open_file(b, kernel, c->kernel_line, &b->kernel);

    if (rc != 0)
        return rc;
    rc = elf_read(b->kernel.bytes, b->kernel.len, &b->image, &why);
    if (rc != 0)
        return fail(b, rc, c->kernel_line, "%s %s", kernel, why);
    return c->initrd ? open_file(b, c->initrd, c->initrd_line, &b->initrd) : 0;
}

static struct xen_domctl control_for(domid_t domid)
{
    struct xen_domctl op;

    memset(&op, 0, sizeof(op));
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = domid;
    return op;
}

static int create_domain(struct build *b)
{
    const struct domain_config *c = b->order.config;
    struct xen_domctl op = control_for(b->order.domid);
    struct xen_domctl_createdomain *create = &op.u.createdomain;
    int rc;

    op.cmd = XEN_DOMCTL_createdomain;
    memcpy(create->handle, c->uuid, sizeof(create->handle));
    create->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    create->max_vcpus = c->vcpus;
    create->max_evtchn_port = EVTCHN_2L_NR_CHANNELS - 1;
    create->max_grant_frames = -1;
    create->max_maptrack_frames = -1;
    create->grant_opts = XEN_DOMCTL_GRANT_version(1);
    create->arch.emulation_flags = XEN_X86_EMU_LAPIC;
    rc = hcall_control_create(&op);
    if (rc == -ENOMEM)
        return fail(b, rc, c->line, "the core has no memory for another domain: stop one first");
    if (rc < 0)
        return refused(b, rc, "create the domain");
    b->domid = op.domain;
    return 0;
}

static int name_domain(struct build *b)
{
    struct bulkhead_domain_label label = {.domid = b->domid};
    int rc;

    (void)snprintf(label.label, sizeof(label.label), "%s", b->order.config->name);
    rc = hcall_domain_label(&label);
    return rc < 0 ? refused(b, rc, "name the domain") : 0;
}

static int give_rights(struct build *b)
{
    struct bulkhead_domain_rights rights = {.domid = b->domid, .rights = b->order.rights};
    int rc = hcall_domain_rights(&rights);

    return rc < 0 ? refused(b, rc, "give the domain its rights") : 0;
}

static int reset_domain(struct build *b)
{
    struct bulkhead_domain_reset reset = {.domid = b->domid};
    int rc = hcall_domain_reset(&reset);

    b->reset_at = clock_now();
    return rc < 0 ? refused(b, rc, "reset the domain") : 0;
}

static int no_memory(struct build *b, const char *what)
{
    const struct domain_config *c = b->order.config;

    return fail(b, -ENOMEM, c->memory_line, "the host has not enough %s for %llu MiB: ask for less",
                what, (unsigned long long)(c->memory_bytes / MIB));
}

static int plan_memory(struct build *b)
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

/* One more than it survives is what ends it. */
static int limit_faults(struct build *b)
{
    const struct domain_config *c = b->order.config;
    struct bulkhead_dma_limit limit = {.domid = b->domid, .count = c->dma_limit + 1};
    int rc = c->has_dma_limit ? hcall_dma_limit(&limit) : 0;

    return rc < 0 ? refused(b, rc, "limit its blocked accesses") : 0;
}

/* RAM, the page of ACPI tables, the pages shared with services. */
static int allow_memory(struct build *b)
{
    const struct domain_config *c = b->order.config;
    struct bulkhead_host_info host = {0};
    struct xen_domctl op = control_for(b->domid);
    int rc = hcall_host_info(&host);

    if (rc >= 0 && host.free_bytes < b->request.memory)
        return fail(b, -ENOMEM, c->memory_line,
                    "%llu MiB of memory, but the host has %llu MiB free: ask for less",
                    (unsigned long long)(c->memory_bytes / MIB),
                    (unsigned long long)(host.free_bytes / MIB));
    op.cmd = XEN_DOMCTL_max_mem;
    op.u.max_mem.max_memkb = (b->request.memory + (b->exact ? EXACT_MORE : 0) + ACPI_LEN_MAX +
                              LAYOUT_SPECIAL_SIZE + b->order.survivor) /
                             1024;
    rc = hcall_control_max_mem(&op);
    return rc < 0 ? refused(b, rc, "allow the domain its memory") : 0;
}

/* Where memory lies decides what fits, so it is taken first. */
static int take_exact(struct build *b)
{
    const struct domain_config *c = b->order.config;
    int rc;

    if (!b->exact)
        return 0;
    b->made_cmdline = exact_cmdline(b->cmdline);
    if (!b->made_cmdline)
        return fail(b, -ENOMEM, c->line, "no memory to build the domain");
    b->cmdline = b->made_cmdline;
    rc = exact_take(b->domid, &b->request);
    if (rc == -ENOSPC)
        return fail(b, rc, c->kernel_line,
                    "%s must stand at %llu MiB in the machine, and that is taken: without an IOMMU "
                    "only one domain with such a kernel may own PCI functions",
                    c->kernel, (unsigned long long)(b->image.start / MIB));
    if (rc == -ENOMEM)
        return no_memory(b, "low memory left");
    return rc < 0 ? refused(b, rc, "give the domain the machine's own memory") : 0;
}

static int find_places(struct build *b)
{
    const struct domain_config *c = b->order.config;
    const char *why;
    int rc;

    b->request.cmdline_len = strlen(b->cmdline);
    rc = layout_find(&b->request, &b->layout, &why);
    return rc != 0 ? fail(b, rc, c->memory_line, "%llu MiB of memory are too few, %s: give more",
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
    return rc < 0 ? refused(b, rc, "give the domain memory") : 0;
}

static int give_memory(struct build *b)
{
    struct ranges r = ranges_of(b);

    return give_ranges(b, &r, memory_populate);
}

/*
 * A last life may have given some of its memory back. Looking for the places takes
 * time, and is not for one that has all its frames.
 */
static int mend_memory(struct build *b)
{
    struct bulkhead_domain_stats stats = {.domid = b->domid};
    struct ranges r = ranges_of(b);
    uint64_t bytes = 0;
    int rc = hcall_domain_stats(&stats);

    if (rc < 0)
        return refused(b, rc, "tell how much memory the domain has");
    if (b->order.store != DOMID_INVALID)
        add_range(&r, LAYOUT_STORE_PAGE, PAGE_SIZE);
    if (b->order.console != DOMID_INVALID)
        add_range(&r, LAYOUT_CONSOLE_PAGE, PAGE_SIZE);
    for (unsigned i = 0; i < r.count; i++)
        bytes += r.range[i].end - r.range[i].start;
    return stats.frames * PAGE_SIZE >= bytes ? 0 : give_ranges(b, &r, memory_mend);
}

/* What is not copied is zero already: the core hands out zeroed frames. */
static int load_images_by(struct build *b, int (*load)(domid_t, uint64_t, const void *, size_t))
{
    const uint8_t *kernel = b->kernel.bytes;
    int rc = 0;

    for (unsigned i = 0; rc >= 0 && i < b->image.segment_count; i++) {
        const struct elf_segment *s = &b->image.segments[i];

        rc = load(b->domid, s->gpa, kernel + s->offset, s->file_len);
    }
    if (rc >= 0)
        rc = load(b->domid, b->layout.initrd, b->initrd.bytes, b->initrd.len);
    return rc < 0 ? refused(b, rc, "take the kernel and the initrd") : 0;
}

static int load_images(struct build *b)
{
    return load_images_by(b, memory_load);
}

static int reload_images(struct build *b)
{
    return load_images_by(b, memory_reload);
}

/* What the images leave out, where a last life was. */
static int clear_images(struct build *b)
{
    int rc = 0;

    for (unsigned i = 0; rc >= 0 && i < b->image.segment_count; i++) {
        const struct elf_segment *s = &b->image.segments[i];

        if (!s->scratch)
            rc = memory_clear(b->domid, s->gpa + s->file_len, s->len - s->file_len);
    }
    return rc < 0 ? refused(b, rc, "clear the kernel's data") : 0;
}

static int load_tables(struct build *b)
{
    static uint8_t tables[ACPI_LEN_MAX];
    const struct domain_config *c = b->order.config;
    struct acpi_request request = {.vcpus = c->vcpus, .has_devices = config_is_driver(c)};
    int len = acpi_write(&request, LAYOUT_ACPI_BASE, tables);
    struct layout_block block;
    int rc;

    if (len < 0)
        return fail(b, len, c->vcpu_line, "%u vCPUs cannot be described: at most %u", c->vcpus,
                    ACPI_VCPU_MAX);
    layout_fill(&b->request, &b->layout, LAYOUT_ACPI_BASE, &block);
    rc = memory_load(b->domid, LAYOUT_ACPI_BASE, tables, (size_t)len);
    if (rc >= 0)
        rc = memory_load(b->domid, b->layout.block, &block, sizeof(block));
    if (rc >= 0)
        rc = memory_load(b->domid, b->layout.cmdline, b->cmdline, b->request.cmdline_len + 1);
    return rc < 0 ? refused(b, rc, "take the start information") : 0;
}

static int set_param(domid_t domid, uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {.domid = domid, .index = index, .value = value};

    return hcall_hvm_set_param(&param);
}

/* A page that a service maps by a seeded grant, and a port that it binds. */
struct ring_kind {
    uint64_t page;
    uint32_t ref;
    uint32_t pfn_param;
    uint32_t port_param;
};

static const struct ring_kind store_ring = {LAYOUT_STORE_PAGE, GNTTAB_RESERVED_XENSTORE,
                                            HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN};
static const struct ring_kind console_ring = {LAYOUT_CONSOLE_PAGE, GNTTAB_RESERVED_CONSOLE,
                                              HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN};

static int make_ring(domid_t domid, domid_t service, const struct ring_kind *kind,
                     evtchn_port_t *port)
{
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = service};
    struct bulkhead_grant_seed seed = {
        .domid = domid, .peer = service, .ref = kind->ref, .gfn = kind->page >> PAGE_SHIFT};
    int rc = memory_populate(domid, kind->page, PAGE_SIZE);

    if (rc >= 0)
        rc = hcall_event_alloc_unbound(&alloc);
    if (rc >= 0)
        rc = hcall_grant_seed(&seed);
    if (rc >= 0)
        rc = set_param(domid, kind->pfn_param, kind->page >> PAGE_SHIFT);
    if (rc >= 0)
        rc = set_param(domid, kind->port_param, alloc.port);
    *port = alloc.port;
    return rc;
}

static int make_rings(struct build *b)
{
    int rc = 0;

    if (b->order.store != DOMID_INVALID)
        rc = make_ring(b->domid, b->order.store, &store_ring, &b->store_port);
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = make_ring(b->domid, b->order.console, &console_ring, &b->console_port);
    return rc < 0 ? refused(b, rc, "set up the rings of store and console") : 0;
}

/* The grants once more, and a store ring that is empty; its ports are still there. */
static int renew_rings(struct build *b)
{
    struct bulkhead_grant_seed seed = {.domid = b->domid,
                                       .peer = b->order.store,
                                       .ref = store_ring.ref,
                                       .gfn = store_ring.page >> PAGE_SHIFT};
    int rc = 0;

    if (b->order.store != DOMID_INVALID) {
        rc = hcall_grant_seed(&seed);
        if (rc >= 0)
            rc = memory_clear(b->domid, store_ring.page, PAGE_SIZE);
    }
    seed.peer = b->order.console;
    seed.ref = console_ring.ref;
    seed.gfn = console_ring.page >> PAGE_SHIFT;
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = hcall_grant_seed(&seed);
    return rc < 0 ? refused(b, rc, "set up the rings of store and console") : 0;
}

/* Of a domain of ours; a page of the last life is begun anew. */
static int make_life(struct build *b)
{
    const struct domain_config *c = b->order.config;
    bool watched = c->watchdog_ms != 0;
    int rc = config_is_image(c) ? life_make(b->domid, watched, b->order.obeys, &b->life_port) : 0;

    return rc < 0 ? refused(b, rc, "set up the page by which it is watched") : 0;
}

/* Whom it may share pages and events with, beside the services. */
static int pair_backends(struct build *b)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < config_served_count(b->order.config); i++) {
        struct bulkhead_pair pair = {.domid = b->domid, .peer = b->order.backends[i]};

        rc = hcall_domain_pair(&pair);
    }
    return rc < 0 ? refused(b, rc, "pair the domain with its backends") : 0;
}

static int assign_devices(struct build *b)
{
    const struct domain_config *c = b->order.config;

    for (size_t i = 0; i < c->hostdev_count; i++) {
        const struct config_hostdev *h = &c->hostdevs[i];
        struct xen_domctl op = control_for(b->domid);
        char name[GROUP_NAME_MAX];
        int rc;

        (void)group_name(group_sbdf(h), name);
        op.cmd = XEN_DOMCTL_assign_device;
        op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
        op.u.assign_device.u.pci.machine_sbdf = group_sbdf(h);
        rc = hcall_control_assign_device(&op);
        if (rc == -ENODEV || rc == -ENOENT)
            return fail(b, rc, h->address_line,
                        "the host has no PCI function %s: name one that it has", name);
        if (rc == -EBUSY)
            return fail(b, rc, h->address_line,
                        "PCI function %s is in use: name one that nobody owns", name);
        if (rc == -EPERM || rc == -EACCES)
            return fail(
                b, rc, h->address_line,
                "PCI function %s is the core's, or not contained (see `dmesg`): name another",
                name);
        if (rc < 0)
            return fail(b, rc, h->address_line, "PCI function %s cannot be assigned: %s", name,
                        strerror(-rc));
    }
    return 0;
}

static int start_vcpu(struct build *b)
{
    struct bulkhead_vcpu_start start = {
        .domid = b->domid, .entry = b->image.entry, .start_info = (uint32_t)b->layout.block};
    int rc = hcall_vcpu_start(&start);

    return rc < 0 ? refused(b, rc, "start its first vCPU") : 0;
}

typedef int step_fn(struct build *b);

static step_fn *const create_steps[] = {open_images, create_domain, name_domain, give_rights,
                                        limit_faults};
static step_fn *const fill_steps[] = {
    plan_memory, allow_memory, take_exact, find_places,   give_memory,    load_images,
    load_tables, make_rings,   make_life,  pair_backends, assign_devices, start_vcpu,
};
static step_fn *const renew_steps[] = {
    open_images,   plan_memory,  find_places, reset_domain, mend_memory, give_rights,
    reload_images, clear_images, load_tables, renew_rings,  make_life,   start_vcpu,
};

static int run(struct build *b, step_fn *const *steps, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = steps[i](b);
    return rc < 0 ? rc : 0;
}

int build_create(struct build *b, const struct build_order *order)
{
    memset(b, 0, sizeof(*b));
    b->order = *order;
    b->domid = DOMID_INVALID;
    return run(b, create_steps, sizeof(create_steps) / sizeof(create_steps[0]));
}

int build_fill(struct build *b, const char *cmdline)
{
    b->cmdline = cmdline;
    return run(b, fill_steps, sizeof(fill_steps) / sizeof(fill_steps[0]));
}

int build_renew(struct build *b, const struct build_order *order, domid_t domid,
                const char *cmdline)
{
    memset(b, 0, sizeof(*b));
    b->order = *order;
    b->domid = domid;
    b->cmdline = cmdline;
    return run(b, renew_steps, sizeof(renew_steps) / sizeof(renew_steps[0]));
}

void build_close(struct build *b, bool failed)
{
    mapped_close(&b->kernel);
    mapped_close(&b->initrd);
    free(b->made_cmdline);
    b->made_cmdline = NULL;
    if (failed && b->domid != DOMID_INVALID) {
        (void)build_destroy(b->domid);
        b->domid = DOMID_INVALID;
    }
}

int build_destroy(domid_t domid)
{
    struct xen_domctl op = control_for(domid);

    op.cmd = XEN_DOMCTL_destroydomain;
    return hcall_control_destroy(&op);
}
