/* HVM parameters: where a guest finds store and console, and how it wants to be told of events. */

#include "domain/domain.h"
#include "event/event.h"
#include "hypercall/call.h"
#include "vcpu/vcpu.h"

#define GETS 1u /* the guest may read it */
#define SETS 2u /* the guest may write it */

static const uint8_t param_rule[DOMAIN_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = GETS | SETS, [HVM_PARAM_STORE_PFN] = GETS,
    [HVM_PARAM_STORE_EVTCHN] = GETS,        [HVM_PARAM_CONSOLE_PFN] = GETS,
    [HVM_PARAM_CONSOLE_EVTCHN] = GETS,
};

/* Vectors below 16 are the CPU's own. */
static int callback_set(struct domain *d, uint64_t value)
{
    uint64_t type = value >> HVM_CALLBACK_TYPE_SHIFT;

    if (type == HVM_CALLBACK_TYPE_VECTOR && (value & 0xff) >= 0x10) {
        d->callback_vector = (uint8_t)value;
        return 0;
    }
    /* Linux writes 1 as a courtesy when it uses per-vCPU vectors. */
    if (type == 0 && value <= 1) {
        d->callback_vector = 0;
        return 0;
    }
    return -XEN_EINVAL;
}

int hc_hvm_set_param(struct hc_call *call, struct xen_hvm_param *arg)
{
    struct domain *d = call->target;
    int rc = 0;

    if (arg->index >= DOMAIN_PARAMS || param_rule[arg->index] == 0)
        return -XEN_EINVAL;
    if (!(param_rule[arg->index] & SETS) && !(call->domain->rights & call->right))
        return -XEN_EPERM;
    if (arg->index == HVM_PARAM_CALLBACK_IRQ)
        rc = callback_set(d, arg->value);
    if (rc == 0)
        d->param[arg->index] = arg->value;
    return rc;
}

int hc_hvm_get_param(struct hc_call *call, struct xen_hvm_param *arg)
{
    if (arg->index >= DOMAIN_PARAMS || !(param_rule[arg->index] & GETS))
        return -XEN_EINVAL;
    arg->value = call->target->param[arg->index];
    return 0;
}

int64_t hc_vm_assist(struct hc_call *call)
{
    if (call->arg[1] != VMASST_TYPE_runstate_update_flag || call->arg[0] > VMASST_CMD_disable)
        return -XEN_EINVAL;
    call->domain->runstate_flag = call->arg[0] == VMASST_CMD_enable;
    return 0;
}
