/* Event channel calls: rights and ids in, good pointers out. */
#include "domain/domain.h"
#include "event/event.h"
#include "hypercall/call.h"

int hc_event_alloc_unbound(struct hc_call *call, struct evtchn_alloc_unbound *arg)
{
    uint16_t remote = arg->remote_dom == DOMID_SELF ? call->domain->id : arg->remote_dom;

    return event_alloc_unbound(call->target, remote, &arg->port);
}

int hc_event_bind_interdomain(struct hc_call *call, struct evtchn_bind_interdomain *arg)
{
    return event_bind_interdomain(call->domain, call->target, arg->remote_port, &arg->local_port);
}

int hc_event_bind_virq(struct hc_call *call, struct evtchn_bind_virq *arg)
{
    if (arg->vcpu >= call->domain->vcpu_count)
        return -XEN_ENOENT;
    return event_bind_virq(call->domain->vcpu[arg->vcpu], arg->virq, &arg->port);
}

int hc_event_bind_ipi(struct hc_call *call, struct evtchn_bind_ipi *arg)
{
    if (arg->vcpu >= call->domain->vcpu_count)
        return -XEN_ENOENT;
    return event_bind_ipi(call->domain->vcpu[arg->vcpu], &arg->port);
}

int hc_event_bind_vcpu(struct hc_call *call, struct evtchn_bind_vcpu *arg)
{
    return event_bind_vcpu(call->domain, arg->port, arg->vcpu);
}

int hc_event_close(struct hc_call *call, struct evtchn_close *arg)
{
    return event_close(call->domain, arg->port);
}

int hc_event_send(struct hc_call *call, struct evtchn_send *arg)
{
    return event_send(call->domain, arg->port);
}

int hc_event_unmask(struct hc_call *call, struct evtchn_unmask *arg)
{
    return event_unmask(call->domain, arg->port);
}

int hc_event_status(struct hc_call *call, struct evtchn_status *arg)
{
    return event_status(call->target, arg->port, arg);
}

/* Closes all ports of a domain: a kernel that starts another one in its place (kexec). */
int hc_event_reset(struct hc_call *call, struct evtchn_reset *)
{
    event_close_all(call->target);
    return 0;
}
