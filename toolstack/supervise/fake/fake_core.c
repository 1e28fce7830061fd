/* The hypercalls of the pretend core: each only remembers. */
#include "fake_core.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <hcall.h>
#include <rt/clock.h>

#include "fake_inner.h"

struct fake_domain fake_domains[FAKE_DOMAINS];
struct bulkhead_host_info fake_host;
const struct bulkhead_pci_info *fake_functions;
unsigned fake_function_count;
uint64_t fake_now;
domid_t fake_attached;
const char *fake_log;
char fake_said[8192];
struct store_client fake_store;

static unsigned fail_at;
static bool failed;
static unsigned next_id;

static unsigned die_at;
static jmp_buf death;

bool fake_die_in(void (*run)(void), unsigned n)
{
    die_at = n;
    if (setjmp(death) != 0)
        return true;
    run();
    die_at = 0;
    return false;
}

int fake_step(void)
{
    if (die_at > 0 && --die_at == 0)
        longjmp(death, 1);
    if (fail_at == 0 || --fail_at > 0)
        return 0;
    failed = true;
    return -EIO;
}

void fake_fail_at(unsigned n)
{
    fail_at = n;
    failed = false;
}

bool fake_has_failed(void)
{
    return failed;
}

void fake_reset(void)
{
    fake_function_count = 0;
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        free(fake_domains[i].ram);
    memset(fake_domains, 0, sizeof(fake_domains));
    fake_nodes_reset();
    fake_said[0] = 0;
    fake_log = "a line of the core\nand \x1b[2J another\n";
    fake_now = 1000000000;
    fake_attached = DOMID_SELF;
    next_id = 1;
    fake_fail_at(0);
    fake_host = (struct bulkhead_host_info){.memory_bytes = 1ull << 30, .free_bytes = 1ull << 30};
}

struct fake_domain *fake_domain(domid_t domid)
{
    return domid < FAKE_DOMAINS && fake_domains[domid].exists ? &fake_domains[domid] : NULL;
}

unsigned fake_domain_count(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        count += fake_domains[i].exists;
    return count;
}

void fake_shutdown(domid_t domid, unsigned reason)
{
    fake_domains[domid].flags = XEN_DOMINF_shutdown | reason << XEN_DOMINF_shutdownshift;
}

unsigned fake_count_said(const char *text)
{
    unsigned count = 0;

    for (const char *at = fake_said; (at = strstr(at, text)) != NULL; at++)
        count++;
    fake_said[0] = 0;
    return count;
}

void fake_say(const char *format, va_list args)
{
    size_t len = strlen(fake_said);

    (void)vsnprintf(fake_said + len, sizeof(fake_said) - len, format, args);
}

void supervise_hurry(bool on)
{
    (void)on;
}

void supervise_say(const char *format, ...)
{
    va_list args;
    size_t len;

    va_start(args, format);
    fake_say(format, args);
    va_end(args);
    len = strlen(fake_said);
    (void)snprintf(fake_said + len, sizeof(fake_said) - len, "\n");
}

uint64_t clock_now(void)
{
    return fake_now;
}

int hcall_host_info(struct bulkhead_host_info *arg)
{
    *arg = fake_host;
    return 0;
}

int hcall_control_create(struct xen_domctl *arg)
{
    unsigned id = arg->domain != 0 ? arg->domain : next_id;
    struct fake_domain *d = &fake_domains[id < FAKE_DOMAINS ? id : 0];

    if (fake_step() != 0)
        return -EIO;
    if (id >= FAKE_DOMAINS)
        return -ENOMEM;
    if (d->exists)
        return -EEXIST;
    *d = (struct fake_domain){.exists = true, .paused = true, .ram = calloc(1, FAKE_RAM)};
    memcpy(d->handle, arg->u.createdomain.handle, sizeof(d->handle));
    arg->domain = (domid_t)id;
    next_id += id == next_id;
    return 0;
}

int hcall_control_destroy(struct xen_domctl *arg)
{
    struct fake_domain *d = fake_domain(arg->domain);

    if (!d)
        return -ESRCH;
    free(d->ram);
    memset(d, 0, sizeof(*d));
    return 0;
}

int hcall_domain_label(struct bulkhead_domain_label *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    memcpy(d->label, arg->label, sizeof(d->label));
    return 0;
}

int hcall_domain_rights(struct bulkhead_domain_rights *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    d->rights = arg->rights;
    return 0;
}

int hcall_domain_reset(struct bulkhead_domain_reset *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    d->paused = true;
    d->bound = false;
    d->flags = 0;
    d->rights = 0;
    d->seed_count = 0;
    d->resets++;
    return 0;
}

int hcall_dma_limit(struct bulkhead_dma_limit *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    d->dma_limit = arg->count;
    return 0;
}

int hcall_control_max_mem(struct xen_domctl *arg)
{
    struct fake_domain *d = fake_domain(arg->domain);

    if (!d || fake_step() != 0)
        return -EIO;
    d->max_kib = arg->u.max_mem.max_memkb;
    return 0;
}

int hcall_memory_populate(struct xen_memory_reservation *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    /* A host without whole gibibytes. */
    if (arg->extent_order > 9)
        return 0;
    if (d->hole != 0 && arg->extent_order == 0 && arg->extent_start.p[0] == d->hole >> PAGE_SHIFT)
        d->hole = 0;
    d->frames += arg->nr_extents << arg->extent_order;
    return d->frames * 4 > d->max_kib ? -ENOMEM : (int)arg->nr_extents;
}

/* A life page that cannot be read stops nobody, so reading it never fails. */
static int copy_life(struct fake_domain *d, uint64_t at, const struct bulkhead_memory_copy *arg)
{
    void *buffer = (void *)(uintptr_t)arg->buffer;

    if (arg->flags & BULKHEAD_COPY_READ)
        memcpy(buffer, d->life + at, arg->len);
    else if (fake_step() != 0)
        return -EIO;
    else
        memcpy(d->life + at, buffer, arg->len);
    return 0;
}

int hcall_memory_copy(struct bulkhead_memory_copy *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);
    void *buffer = (void *)(uintptr_t)arg->buffer;

    if (d && arg->gpa >= LAYOUT_LIFE_PAGE && arg->gpa - LAYOUT_LIFE_PAGE < sizeof(d->life))
        return copy_life(d, arg->gpa - LAYOUT_LIFE_PAGE, arg);
    if (!d || fake_step() != 0)
        return -EIO;
    if (d->hole != 0 && arg->gpa <= d->hole && arg->gpa + arg->len > d->hole)
        return -EFAULT;
    if ((arg->flags & BULKHEAD_COPY_READ) != 0 && arg->gpa >= LAYOUT_ACPI_BASE) {
        memset(buffer, 0, arg->len);
        return 0;
    }
    if ((arg->flags & BULKHEAD_COPY_READ) != 0) {
        if (arg->gpa >= FAKE_RAM || arg->len > FAKE_RAM - arg->gpa)
            return -EFAULT;
        memcpy(buffer, d->ram + arg->gpa, arg->len);
        return 0;
    }
    d->written += arg->len;
    if (arg->gpa >= LAYOUT_SPECIAL_BASE)
        return 0; /* pages of rings are not kept */
    if (arg->gpa < FAKE_RAM && arg->len <= FAKE_RAM - arg->gpa)
        memcpy(d->ram + arg->gpa, buffer, arg->len);
    else if (arg->gpa == LAYOUT_ACPI_BASE && arg->len <= sizeof(d->acpi))
        memcpy(d->acpi, buffer, arg->len);
    else
        return -EFAULT;
    return 0;
}

int hcall_event_alloc_unbound(struct evtchn_alloc_unbound *arg)
{
    struct fake_domain *d = fake_domain(arg->dom);

    if (!d || fake_step() != 0)
        return -EIO;
    arg->port = ++d->ports;
    return 0;
}

/*
 * The control domain's own ports are numbered by the domain at their other end: by
 * the port of its watchdog, which stays bound, or by another, which does not.
 */
#define OTHER_PORTS FAKE_DOMAINS

int hcall_event_bind_interdomain(struct evtchn_bind_interdomain *arg)
{
    struct fake_domain *d = fake_domain(arg->remote_dom);

    if (!d || !d->paired || arg->remote_port == 0 || arg->remote_port > d->ports ||
        fake_step() != 0)
        return -EINVAL;
    if (arg->remote_port != ((const struct life_page *)(const void *)d->life)->port) {
        arg->local_port = OTHER_PORTS * arg->remote_port + arg->remote_dom;
        return 0;
    }
    if (d->bound)
        return -EINVAL;
    d->bound = true;
    arg->local_port = arg->remote_dom;
    return 0;
}

int hcall_event_send(struct evtchn_send *arg)
{
    struct fake_domain *d = fake_domain((domid_t)(arg->port % OTHER_PORTS));
    evtchn_port_t other = arg->port / OTHER_PORTS;

    if (!d || (other == 0 && !d->bound))
        return -EINVAL;
    if (other != 0)
        d->ordered = other;
    else
        d->sent++;
    return 0;
}

int hcall_event_close(struct evtchn_close *arg)
{
    struct fake_domain *d = fake_domain((domid_t)arg->port);

    if (d)
        d->bound = false;
    return 0;
}

int hcall_grant_seed(struct bulkhead_grant_seed *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || d->seed_count == 4 || fake_step() != 0)
        return -EIO;
    d->seeds[d->seed_count++] = *arg;
    return 0;
}

int hcall_hvm_set_param(struct xen_hvm_param *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || arg->index >= 32 || fake_step() != 0)
        return -EIO;
    d->params[arg->index] = arg->value;
    return 0;
}

int hcall_hvm_get_param(struct xen_hvm_param *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || arg->index >= 32 || fake_step() != 0)
        return -EIO;
    arg->value = d->params[arg->index];
    return 0;
}

int hcall_domain_pair(struct bulkhead_pair *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (arg->domid == DOMID_SELF && fake_domain(arg->peer)) {
        fake_domain(arg->peer)->paired = true;
        return fake_step() != 0 ? -EIO : 0;
    }
    if (!d || d->pair_count == 4 || fake_step() != 0)
        return -EIO;
    d->pairs[d->pair_count++] = arg->peer;
    return 0;
}

int hcall_control_assign_device(struct xen_domctl *arg)
{
    struct fake_domain *d = fake_domain(arg->domain);
    uint32_t sbdf = arg->u.assign_device.u.pci.machine_sbdf;

    if (!d || d->device_count == 4 || fake_step() != 0)
        return -EIO;
    if (sbdf >> 8 != 0)
        return -ENODEV; /* one bus is all there is */
    d->devices[d->device_count++] = sbdf;
    return 0;
}

int hcall_sched_yield(void)
{
    return 0;
}

int hcall_vcpu_start(struct bulkhead_vcpu_start *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d || fake_step() != 0)
        return -EIO;
    d->start = *arg;
    return 0;
}

int hcall_control_domain_list(struct xen_sysctl *arg)
{
    struct xen_sysctl_getdomaininfolist *list = &arg->u.getdomaininfolist;

    list->num_domains = 0;
    for (domid_t i = list->first_domain; i < FAKE_DOMAINS; i++) {
        struct xen_domctl_getdomaininfo *info = &list->buffer.p[list->num_domains];
        const struct fake_domain *d = fake_domain(i);

        if (!d || list->num_domains == list->max_domains)
            continue;
        memset(info, 0, sizeof(*info));
        info->domain = i;
        info->flags = d->flags | (d->paused ? XEN_DOMINF_paused : 0);
        info->cpu_time = d->has_run ? d->cpu_ns + 1 : 0;
        info->tot_pages = d->frames;
        memcpy(info->handle, d->handle, sizeof(info->handle));
        list->num_domains++;
    }
    return 0;
}

void fake_control_dies(void)
{
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        fake_domains[i].bound = false;
}

/* All ports but the last, which asks for a beat if there is one, are the services'. */
int hcall_event_status(struct evtchn_status *arg)
{
    const struct fake_domain *d = fake_domain(arg->dom);

    if (!d)
        return -ESRCH;
    arg->status = arg->port <= d->ports ? EVTCHNSTAT_interdomain : EVTCHNSTAT_closed;
    if (arg->port == d->ports && d->paired && !d->bound) {
        arg->status = EVTCHNSTAT_unbound;
        arg->u.unbound.dom = 0;
    }
    return 0;
}

static int set_paused(domid_t domid, bool paused)
{
    struct fake_domain *d = fake_domain(domid);

    if (!d)
        return -ESRCH;
    d->paused = paused;
    d->has_run = d->has_run || !paused;
    return 0;
}

int hcall_control_trigger(struct xen_domctl *arg)
{
    struct fake_domain *d = fake_domain(arg->domain);

    if (!d)
        return -ESRCH;
    d->triggers++;
    return 0;
}

int hcall_control_pause(struct xen_domctl *arg)
{
    return set_paused(arg->domain, true);
}

int hcall_control_unpause(struct xen_domctl *arg)
{
    return fake_step() != 0 ? -EIO : set_paused(arg->domain, false);
}

int hcall_console_attach(struct bulkhead_console_attach *arg)
{
    if (arg->domid != DOMID_INVALID)
        fake_attached = arg->domid;
    arg->domid = fake_attached;
    return 0;
}

int hcall_domain_stats(struct bulkhead_domain_stats *arg)
{
    struct fake_domain *d = fake_domain(arg->domid);

    if (!d)
        return -ESRCH;
    arg->frames = d->frames;
    arg->exits = 42;
    arg->cpu_ns = d->cpu_ns;
    return 0;
}

int hcall_pci_info(struct bulkhead_pci_info *arg)
{
    uint32_t index = arg->index;

    if (fake_step() != 0)
        return -EIO;
    if (index >= fake_function_count)
        return -ENOENT;
    *arg = fake_functions[index];
    arg->index = index;
    return 0;
}

int hcall_control_log(struct xen_sysctl *arg)
{
    struct xen_sysctl_readconsole *read = &arg->u.readconsole;
    uint32_t from = read->incremental ? read->index : 0;

    read->count = (uint32_t)strlen(fake_log) - from;
    memcpy(read->buffer.p, fake_log + from, read->count);
    read->index = (uint32_t)strlen(fake_log);
    return 0;
}
