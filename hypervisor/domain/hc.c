/* Control operations: who may build, see and end domains. */

#include <abi/layout.h>

#include "domain/domain.h"
#include "domain/share.h"
#include "hypercall/call.h"
#include "mm/copy.h"
#include "sched/sched.h"
#include "util/string.h"
#include "vcpu/vcpu.h"

/* Grant table frames of a domain that does not ask for a number. */
#define GRANT_FRAMES_DEFAULT 64

int hc_control_create(struct hc_call *, struct xen_domctl *arg)
{
    const struct xen_domctl_createdomain *create = &arg->u.createdomain;
    struct domain_limits limits = {.vcpus = create->max_vcpus,
                                   .grant_frames = GRANT_FRAMES_DEFAULT};
    struct domain *d;

    if (create->flags != (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap))
        return -XEN_EINVAL;
    if (create->max_grant_frames > 0)
        limits.grant_frames = (unsigned)create->max_grant_frames;
    memcpy(limits.handle, create->handle, sizeof(limits.handle));
    int rc = domain_create(arg->domain == DOMID_INVALID ? 0 : arg->domain, &limits, &d);
    if (rc < 0)
        return rc;
    arg->domain = d->id;
    domain_put(d);
    return 0;
}

int hc_control_destroy(struct hc_call *call, struct xen_domctl *)
{
    return domain_destroy(call->target);
}

int hc_control_pause(struct hc_call *call, struct xen_domctl *)
{
    domain_pause(call->target);
    return 0;
}

int hc_control_unpause(struct hc_call *call, struct xen_domctl *)
{
    if (call->target->dying)
        return -XEN_EINVAL;
    domain_unpause(call->target);
    return 0;
}

int hc_control_trigger(struct hc_call *call, struct xen_domctl *arg)
{
    const struct xen_domctl_sendtrigger *trigger = &arg->u.sendtrigger;

    if (trigger->trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return -XEN_EINVAL;
    if (trigger->vcpu >= call->target->vcpu_count)
        return -XEN_ENOENT;
    lapic_msi(call->target, LAYOUT_LAPIC_BASE | trigger->vcpu << 12, LAPIC_MESSAGE_NMI);
    return 0;
}

static void info_fill(const struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    const struct vcpu *v = d->vcpu[0];

    *info = (struct xen_domctl_getdomaininfo){.domain = d->id};
    info->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
    if (d->dying)
        info->flags |= XEN_DOMINF_dying;
    if (d->shutdown)
        info->flags |= XEN_DOMINF_shutdown | (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;
    if (d->paused)
        info->flags |= XEN_DOMINF_paused;
    else if (!d->shutdown && v->state == VCPU_BLOCKED)
        info->flags |= XEN_DOMINF_blocked;
    else if (!d->shutdown && v->running)
        info->flags |= XEN_DOMINF_running;
    info->tot_pages = d->frames;
    info->max_pages = d->frames_max;
    info->shared_info_frame = d->shared_gfn.v;
    info->cpu_time = sched_cpu_time(v);
    for (unsigned i = 0; i < d->vcpu_count; i++)
        info->nr_online_vcpus += d->vcpu[i]->state != VCPU_DOWN;
    info->max_vcpu_id = d->vcpu_count - 1;
    memcpy(info->handle, d->handle, sizeof(info->handle));
}

int hc_control_domain_list(struct hc_call *call, struct xen_sysctl *arg)
{
    struct xen_sysctl_getdomaininfolist *list = &arg->u.getdomaininfolist;
    uint64_t buffer = (uint64_t)(uintptr_t)list->buffer.p;
    struct domain *d = NULL;
    uint32_t count = 0;

    while (count < list->max_domains && (d = domain_next(d)) != NULL) {
        struct xen_domctl_getdomaininfo info;

        if (d->id < list->first_domain)
            continue;
        info_fill(d, &info);
        if (copy_to_guest(call->vcpu, (gla_t){buffer + count * sizeof(info)}, &info, sizeof(info)) <
            0) {
            domain_put(d);
            return -XEN_EFAULT;
        }
        count++;
    }
    if (d)
        domain_put(d);
    list->num_domains = count;
    return 0;
}

int hc_control_max_mem(struct hc_call *call, struct xen_domctl *arg)
{
    LOCK_SCOPE(&call->target->lock);
    call->target->frames_max = arg->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
    return 0;
}

/* Letters, digits and a few marks; what is shown as a line's writer can be nothing else. */
static bool label_is_valid(const char *label)
{
    size_t len = strnlen(label, BULKHEAD_LABEL_MAX);

    if (len == 0 || len == BULKHEAD_LABEL_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = label[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!word && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return strcmp(label, "core") != 0 && strcmp(label, "control") != 0;
}

int hc_domain_label(struct hc_call *call, struct bulkhead_domain_label *arg)
{
    struct domain *d = call->target;

    if (!label_is_valid(arg->label))
        return -XEN_EINVAL;
    LOCK_SCOPE(&d->lock);
    if (d->labelled)
        return -XEN_EBUSY;
    memcpy(d->label, arg->label, sizeof(d->label));
    d->labelled = true;
    return 0;
}

int hc_domain_rights(struct hc_call *call, struct bulkhead_domain_rights *arg)
{
    struct domain *d = call->target;

    if (arg->rights & ~call->domain->rights)
        return -XEN_EPERM;
    LOCK_SCOPE(&d->lock);
    if (d->entitled)
        return -XEN_EBUSY;
    d->rights = arg->rights;
    d->entitled = true;
    return 0;
}

int hc_domain_reset(struct hc_call *call, struct bulkhead_domain_reset *)
{
    return domain_reset(call->target);
}

int hc_rights_drop(struct hc_call *call, struct bulkhead_rights_drop *arg)
{
    LOCK_SCOPE(&call->domain->lock);
    call->domain->rights &= ~arg->rights;
    return 0;
}

int hc_domain_pair(struct hc_call *call, struct bulkhead_pair *arg)
{
    if (arg->flags & ~BULKHEAD_PAIR_REMOVE)
        return -XEN_EINVAL;
    if (!(arg->flags & BULKHEAD_PAIR_REMOVE))
        return share_add(call->target, arg->peer);
    share_remove(call->target, arg->peer);
    return 0;
}

int hc_vcpu_start(struct hc_call *call, struct bulkhead_vcpu_start *arg)
{
    struct domain *d = call->target;

    if (arg->vcpu >= d->vcpu_count)
        return -XEN_ENOENT;
    if (d->vcpu[arg->vcpu]->state != VCPU_DOWN)
        return -XEN_EBUSY;
    vcpu_reset_pvh(d->vcpu[arg->vcpu], arg->entry, arg->start_info);
    sched_start(d->vcpu[arg->vcpu]);
    return 0;
}

int hc_domain_stats(struct hc_call *call, struct bulkhead_domain_stats *arg)
{
    const struct domain *d = call->target;

    *arg = d->stats;
    arg->domid = d->id;
    arg->frames = d->frames;
    arg->pool_bytes = (uint64_t)(d->p2m.pages + 2) << PAGE_SHIFT;
    arg->pool_bytes += grant_pool_bytes(d);
    arg->grants_mapped = d->grants->mapped;
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        for (unsigned kind = 0; kind < BULKHEAD_EXIT_KINDS; kind++) {
            arg->exits_by[kind] += d->vcpu[i]->exits_by[kind];
            arg->exits += d->vcpu[i]->exits_by[kind];
        }
        arg->cpu_ns += sched_cpu_time(d->vcpu[i]);
    }
    arg->hypercalls = arg->exits_by[BULKHEAD_EXIT_HYPERCALL];
    return 0;
}
