/* The sequence that makes a domain: images, frames, content, shared pages, devices, vCPU. */
#include "steps.h"

#include "life.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <config/group.h>
#include <hcall.h>
#include <rt/clock.h>

int build_fail(struct build *b, int rc, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(b->error.text, sizeof(b->error.text), format, args);
    va_end(args);
    b->error.line = line;
    return rc;
}

int build_refused(struct build *b, int rc, const char *what)
{
    return build_fail(b, rc, b->order.config->line, "the core refused to %s: %s", what,
                      strerror(-rc));
}

struct xen_domctl build_control(domid_t domid)
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
    struct xen_domctl op = build_control(b->order.domid);
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
        return build_fail(b, rc, c->line,
                          "the core has no memory for another domain: stop one first");
    if (rc < 0)
        return build_refused(b, rc, "create the domain");
    b->domid = op.domain;
    return 0;
}

static int name_domain(struct build *b)
{
    struct bulkhead_domain_label label = {.domid = b->domid};
    int rc;

    (void)snprintf(label.label, sizeof(label.label), "%s", b->order.config->name);
    rc = hcall_domain_label(&label);
    return rc < 0 ? build_refused(b, rc, "name the domain") : 0;
}

static int give_rights(struct build *b)
{
    struct bulkhead_domain_rights rights = {.domid = b->domid, .rights = b->order.rights};
    int rc = hcall_domain_rights(&rights);

    return rc < 0 ? build_refused(b, rc, "give the domain its rights") : 0;
}

static int reset_domain(struct build *b)
{
    struct bulkhead_domain_reset reset = {.domid = b->domid};
    int rc = hcall_domain_reset(&reset);

    b->reset_at = clock_now();
    return rc < 0 ? build_refused(b, rc, "reset the domain") : 0;
}

/* One more than it survives is what ends it. */
static int limit_faults(struct build *b)
{
    const struct domain_config *c = b->order.config;
    struct bulkhead_dma_limit limit = {.domid = b->domid, .count = c->dma_limit + 1};
    int rc = c->has_dma_limit ? hcall_dma_limit(&limit) : 0;

    return rc < 0 ? build_refused(b, rc, "limit its blocked accesses") : 0;
}

/* Of a domain of ours; a page of the last life is begun anew. */
static int make_life(struct build *b)
{
    const struct domain_config *c = b->order.config;
    bool watched = c->watchdog_ms != 0;
    int rc = config_is_image(c) ? life_make(b->domid, watched, b->order.obeys, &b->life_port) : 0;

    return rc < 0 ? build_refused(b, rc, "set up the page by which it is watched") : 0;
}

/* Whom it may share pages and events with, beside the services. */
static int pair_backends(struct build *b)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < config_served_count(b->order.config); i++) {
        struct bulkhead_pair pair = {.domid = b->domid, .peer = b->order.backends[i]};

        rc = hcall_domain_pair(&pair);
    }
    return rc < 0 ? build_refused(b, rc, "pair the domain with its backends") : 0;
}

static int assign_devices(struct build *b)
{
    const struct domain_config *c = b->order.config;

    for (size_t i = 0; i < c->hostdev_count; i++) {
        const struct config_hostdev *h = &c->hostdevs[i];
        struct xen_domctl op = build_control(b->domid);
        char name[GROUP_NAME_MAX];
        int rc;

        (void)group_name(group_sbdf(h), name);
        op.cmd = XEN_DOMCTL_assign_device;
        op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
        op.u.assign_device.u.pci.machine_sbdf = group_sbdf(h);
        rc = hcall_control_assign_device(&op);
        if (rc == -ENODEV || rc == -ENOENT)
            return build_fail(b, rc, h->address_line,
                              "the host has no PCI function %s: name one that it has", name);
        if (rc == -EBUSY)
            return build_fail(b, rc, h->address_line,
                              "PCI function %s is in use: name one that nobody owns", name);
        if (rc == -EPERM || rc == -EACCES)
            return build_fail(
                b, rc, h->address_line,
                "PCI function %s is the core's, or not contained (see `dmesg`): name another",
                name);
        if (rc < 0)
            return build_fail(b, rc, h->address_line, "PCI function %s cannot be assigned: %s",
                              name, strerror(-rc));
    }
    return 0;
}

static int start_vcpu(struct build *b)
{
    struct bulkhead_vcpu_start start = {
        .domid = b->domid, .entry = b->image.entry, .start_info = (uint32_t)b->layout.block};
    int rc = hcall_vcpu_start(&start);

    return rc < 0 ? build_refused(b, rc, "start its first vCPU") : 0;
}

typedef int step_fn(struct build *b);

static step_fn *const create_steps[] = {step_open_images, create_domain, name_domain, give_rights,
                                        limit_faults};
static step_fn *const fill_steps[] = {
    step_plan_memory, step_allow_memory, step_take_exact,  step_find_places,
    step_give_memory, step_load_images,  step_load_tables, step_make_rings,
    make_life,        pair_backends,     assign_devices,   start_vcpu,
};
static step_fn *const renew_steps[] = {
    step_open_images, step_plan_memory, step_find_places,   reset_domain,
    step_mend_memory, give_rights,      step_reload_images, step_clear_images,
    step_load_tables, step_renew_rings, make_life,          start_vcpu,
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
    struct xen_domctl op = build_control(domid);

    op.cmd = XEN_DOMCTL_destroydomain;
    return hcall_control_destroy(&op);
}
