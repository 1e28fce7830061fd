/* Scheduling, timer and vCPU calls. */
#include <arch/clock.h>

#include "domain/domain.h"
#include "event/event.h"
#include "hypercall/call.h"
#include "mm/copy.h"
#include "sched/sched.h"
#include "vcpu/info.h"

/* Ports that one poll may name. */
#define POLL_PORTS 128u

int64_t hc_sched_yield(struct hc_call *call)
{
    sched_yield(call->vcpu);
    return 0;
}

int64_t hc_sched_block(struct hc_call *call)
{
    sched_block(call->vcpu);
    return 0;
}

int hc_sched_shutdown(struct hc_call *call, struct sched_shutdown *arg)
{
    if (arg->reason > SHUTDOWN_MAX)
        return -XEN_EINVAL;
    domain_shutdown(call->domain, (uint8_t)arg->reason);
    return 0;
}

/* Says beforehand why a later stop will be one; the reason of the first shutdown counts. */
int hc_sched_shutdown_code(struct hc_call *, struct sched_shutdown *arg)
{
    return arg->reason > SHUTDOWN_MAX ? -XEN_EINVAL : 0;
}

static int any_pending(struct hc_call *call, const struct sched_poll *arg)
{
    uint64_t ports = (uint64_t)(uintptr_t)arg->ports.p;

    for (unsigned i = 0; i < arg->nr_ports; i++) {
        evtchn_port_t port;

        if (copy_from_guest(call->vcpu, &port, (gla_t){ports + i * sizeof(port)}, sizeof(port)) < 0)
            return -XEN_EFAULT;
        if (port >= EVENT_PORTS)
            return -XEN_EINVAL;
        if (event_is_pending(call->domain, port))
            return 1;
    }
    return 0;
}

/*
 * Sleeps until a port is pending or the timeout, whatever is masked. Any new
 * event of the domain ends it early, which its callers allow for.
 */
int hc_sched_poll(struct hc_call *call, struct sched_poll *arg)
{
    struct vcpu *v = call->vcpu;

    if (arg->nr_ports > POLL_PORTS)
        return -XEN_EINVAL;
    /* From here on whoever sets a bit wakes us; so look only now. */
    __atomic_store_n(&v->polling, true, __ATOMIC_SEQ_CST);
    sched_block(v);
    int rc = any_pending(call, arg);
    if (rc != 0 || (arg->timeout != 0 && arg->timeout <= clock_now()))
        sched_wake(v);
    else if (arg->timeout != 0)
        timer_arm(&v->poll_timer, arg->timeout);
    return rc < 0 ? rc : 0;
}

int64_t hc_event_wait(struct hc_call *call)
{
    struct vcpu *v = call->vcpu;
    uint64_t deadline = call->arg[1];
    int rc = 0;

    for (uint64_t ports = call->arg[2]; ports != 0; ports >>= 16)
        if ((ports & UINT16_MAX) && event_send(call->domain, ports & UINT16_MAX) < 0)
            rc = -XEN_EINVAL;
    if (deadline <= clock_now())
        return rc;
    __atomic_store_n(&v->polling, true, __ATOMIC_SEQ_CST);
    sched_block(v);
    if (event_is_told(v))
        sched_wake(v);
    else if (deadline != CLOCK_NEVER)
        timer_arm(&v->poll_timer, deadline);
    return rc;
}

/* ---- timers ---------------------------------------------------------------- */

int64_t hc_timer_set(struct hc_call *call)
{
    if (call->arg[0] == 0)
        timer_stop(&call->vcpu->timer);
    else
        timer_arm(&call->vcpu->timer, call->arg[0]);
    return 0;
}

int hc_vcpu_set_singleshot_timer(struct hc_call *call, struct vcpu_set_singleshot_timer *arg)
{
    if (call->target_vcpu != call->vcpu)
        return -XEN_EINVAL;
    if ((arg->flags & VCPU_SSHOTTMR_future) && arg->timeout_abs_ns < clock_now())
        return -XEN_ETIME;
    timer_arm(&call->vcpu->timer, arg->timeout_abs_ns);
    return 0;
}

int hc_vcpu_stop_singleshot_timer(struct hc_call *call, struct hc_none *)
{
    if (call->target_vcpu != call->vcpu)
        return -XEN_EINVAL;
    timer_stop(&call->vcpu->timer);
    return 0;
}

/* There is no periodic timer to stop; Linux asks to see whether this interface is there. */
int hc_vcpu_stop_periodic_timer(struct hc_call *, struct hc_none *)
{
    return 0;
}

/* ---- vCPUs and their areas ------------------------------------------------------ */

int hc_vcpu_is_up(struct hc_call *call, struct hc_none *)
{
    return call->target_vcpu->state != VCPU_DOWN;
}

/* Brings back what vcpu_down took away; a vCPU that never started is started by its APIC. */
int hc_vcpu_up(struct hc_call *call, struct hc_none *)
{
    if (!call->target_vcpu->was_started)
        return -XEN_EINVAL;
    if (call->target_vcpu->state == VCPU_DOWN)
        sched_start(call->target_vcpu);
    return 0;
}

int hc_vcpu_down(struct hc_call *call, struct hc_none *)
{
    vcpu_down(call->target_vcpu);
    return 0;
}

int hc_vcpu_get_runstate(struct hc_call *call, struct vcpu_runstate_info *arg)
{
    *arg = sched_runstate(call->target_vcpu);
    return 0;
}

int hc_vcpu_register_runstate(struct hc_call *call, struct vcpu_register_runstate_memory_area *arg)
{
    struct vcpu *v = call->target_vcpu;
    struct vcpu_runstate_info now = sched_runstate(v);

    int rc = area_register(call->vcpu, &v->runstate_area, (gla_t){arg->addr.p}, sizeof(now));
    if (rc == 0)
        area_write(&v->runstate_area, 0, &now, sizeof(now));
    return rc;
}

int hc_vcpu_register_time(struct hc_call *call, struct vcpu_register_time_memory_area *arg)
{
    struct vcpu *v = call->target_vcpu;

    int rc = area_register(call->vcpu, &v->time_area, (gla_t){arg->addr.p},
                           sizeof(struct vcpu_time_info));
    if (rc == 0)
        info_update_time(v);
    return rc;
}

int hc_vcpu_register_info(struct hc_call *call, struct vcpu_register_vcpu_info *arg)
{
    return info_register(call->target_vcpu, (gfn_t){arg->mfn}, arg->offset);
}
