/* Hypercalls: one table from hypercall.def, and the one way in for all of them. */
#include "hypercall/call.h"

#include <arch/clock.h>

#include "domain/domain.h"
#include "mm/copy.h"
#include "util/string.h"
#include "vcpu/vcpu.h"

/* Sub-operations are below this; a call uses its time share and then goes on later. */
#define SUBS     64u
#define SHARE_NS 500000u

/* VMMCALL and VMCALL are both three bytes long. */
#define CALL_LENGTH 3u

enum shape { SHAPE_NO_CALL, SHAPE_ONE, SHAPE_ARRAY, SHAPE_VCPU, SHAPE_CTL, SHAPE_WORD };
enum direction { DIR_NONE = 0, DIR_IN = 1, DIR_OUT = 2, DIR_INOUT = 3 };

/* The rights that a call needs, one of them; above them, what it is about. */
#define WHO_TARGET (1u << 31) /* a domain that the argument names */
#define WHO_SELF   (1u << 30) /* for which the caller itself needs no right */
#define WHO_NOT_ME (1u << 29)
#define WHO_NEW    (1u << 28) /* not run yet */
#define WHO_RIGHTS RIGHTS_ALL

#define WHO_ANYONE         0u
#define WHO_ANYONE_WITH    WHO_TARGET
#define WHO_RIGHT(right)   RIGHT_##right
#define WHO_SELF_OR(right) (RIGHT_##right | WHO_TARGET | WHO_SELF)
#define WHO_DOMAIN(right)  (RIGHT_##right | WHO_TARGET)
#define WHO_OTHER(right)   (RIGHT_##right | WHO_TARGET | WHO_NOT_ME)
#define WHO_UNBORN(right)  (WHO_OTHER(right) | WHO_NEW)

struct row {
    union {
        int (*call)(struct hc_call *call, void *arg);
        int64_t (*word)(struct hc_call *call);
    };
    uint16_t size;
    uint8_t shape;
    uint8_t direction;
    uint32_t who;
};

/* The largest argument fits; every row is checked against it. */
union argument {
    struct xen_domctl domctl;
    struct xen_sysctl sysctl;
    struct bulkhead_domain_stats stats;
    xen_capabilities_info_t capabilities;
};

/* The domain that a call is about, for as long as it lasts; -XEN_ESRCH, or who may not have it. */
static int target_get(struct hc_call *call, const void *domid, uint32_t who)
{
    uint16_t id;
    memcpy(&id, domid, sizeof(id));
    bool self = id == DOMID_SELF || id == call->domain->id;

    if (self && (who & WHO_NOT_ME))
        return -XEN_EINVAL;
    if (call->right && !(self && (who & WHO_SELF)) && !(call->domain->rights & call->right))
        return -XEN_EPERM;
    call->target = self ? call->domain : domain_get(id);
    return call->target ? 0 : -XEN_ESRCH;
}

static bool target_is_late(const struct hc_call *call, uint32_t who)
{
    return (who & WHO_NEW) && (call->target->has_run || call->target->dying);
}

static void target_put(struct hc_call *call)
{
    if (call->target != call->domain)
        domain_put(call->target);
}

/* Its id stands first in the argument, but for two of Xen's structures. */
#define DOMID_AT(type)                                                                             \
    _Generic((type *)NULL, struct xen_domctl *                                                     \
             : offsetof(struct xen_domctl, domain), struct xen_memory_reservation *                \
             : offsetof(struct xen_memory_reservation, domid), default : 0)

/* What a call needs is known where its row is: one that is about no domain is only passed on. */
#define HC(name, number, sub, type, dir, shape, who)                                               \
    _Static_assert(sizeof(type) <= sizeof(union argument) && (sub) < SUBS, #name);                 \
    static int call_##name(struct hc_call *call, void *arg)                                        \
    {                                                                                              \
        if (!(WHO_##who & WHO_TARGET))                                                             \
            return hc_##name(call, arg);                                                           \
        int rc = target_get(call, (char *)arg + DOMID_AT(type), WHO_##who);                        \
        if (rc < 0)                                                                                \
            return rc;                                                                             \
        rc = target_is_late(call, WHO_##who) ? -XEN_EBUSY : hc_##name(call, arg);                  \
        target_put(call);                                                                          \
        return rc;                                                                                 \
    }
#define HC_WORD(name, number, sub, who)
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD

#define HC(name, number, sub, type, dir, sh, w)                                                    \
    [number][sub] = {.call = call_##name,                                                          \
                     .size = sizeof(type),                                                         \
                     .shape = SHAPE_##sh,                                                          \
                     .direction = DIR_##dir,                                                       \
                     .who = WHO_##w},
#define HC_WORD(name, number, sub, w)                                                              \
    [number][sub] = {.word = hc_##name, .shape = SHAPE_WORD, .who = WHO_##w},
static const struct row table[HYPERVISOR_BULKHEAD + 1][SUBS] = {
#include <abi/hypercall.def>
};
#undef HC
#undef HC_WORD

/* Memory operations carry the extent to go on from above the command. */
static uint64_t sub_of(uint64_t number, uint64_t command)
{
    switch (number) {
    case __HYPERVISOR_set_timer_op:
    case __HYPERVISOR_vm_assist: return 0;
    case __HYPERVISOR_memory_op: return command & ((1u << HC_EXTENT_SHIFT) - 1);
    default: return command;
    }
}

static const struct row *find(uint64_t number, uint64_t command)
{
    uint64_t sub = sub_of(number, command);

    if (number > HYPERVISOR_BULKHEAD || sub >= SUBS)
        return NULL;
    const struct row *row = &table[number][sub];
    return row->shape == SHAPE_NO_CALL ? NULL : row;
}

static int64_t call_one(struct hc_call *call, const struct row *row, uint64_t address)
{
    union argument arg;
    gla_t where = {address};
    int rc;

    memset(&arg, 0, row->size);
    if ((row->direction & DIR_IN) && (rc = copy_from_guest(call->vcpu, &arg, where, row->size)) < 0)
        return rc;
    rc = row->call(call, &arg);
    if (rc >= 0 && (row->direction & DIR_OUT) &&
        copy_to_guest(call->vcpu, where, &arg, row->size) < 0)
        return -XEN_EFAULT;
    return rc;
}

static int64_t call_array(struct hc_call *call, const struct row *row)
{
    int64_t rc = 0;

    if (call->arg[2] > UINT32_MAX)
        return -XEN_EINVAL;
    while (call->arg[2] > 0) {
        rc = call_one(call, row, call->arg[1]);
        if (rc < 0)
            break;
        call->arg[1] += row->size;
        call->arg[2]--;
        if (call->arg[2] > 0 && hc_should_stop(call))
            break;
    }
    grant_batch_flush(call->domain, &call->batch);
    return rc;
}

static int64_t call_vcpu(struct hc_call *call, const struct row *row)
{
    if (call->arg[1] >= call->domain->vcpu_count)
        return -XEN_ENOENT;
    call->target_vcpu = call->domain->vcpu[call->arg[1]];
    return call_one(call, row, call->arg[2]);
}

/* domctl and sysctl: command and interface version are the structure's first words. */
static int64_t call_ctl(struct hc_call *call, uint64_t number)
{
    uint32_t head[2];

    if (copy_from_guest(call->vcpu, head, (gla_t){call->arg[0]}, sizeof(head)) < 0)
        return -XEN_EFAULT;
    const struct row *row = find(number, head[0]);
    if (!row)
        return -XEN_ENOSYS;
    if (head[1] != (number == __HYPERVISOR_domctl ? XEN_DOMCTL_INTERFACE_VERSION
                                                  : XEN_SYSCTL_INTERFACE_VERSION))
        return -XEN_EACCES;
    call->right = row->who & WHO_RIGHTS;
    if (!(call->domain->rights & call->right))
        return -XEN_EPERM;
    return call_one(call, row, call->arg[0]);
}

static int64_t dispatch(struct hc_call *call, uint64_t number)
{
    if (number == __HYPERVISOR_domctl || number == __HYPERVISOR_sysctl)
        return call_ctl(call, number);
    const struct row *row = find(number, call->arg[0]);
    if (!row)
        return -XEN_ENOSYS;
    call->right = row->who & WHO_RIGHTS;
    if (call->right && !(row->who & WHO_SELF) && !(call->domain->rights & call->right))
        return -XEN_EPERM;
    switch (row->shape) {
    case SHAPE_WORD: return row->word(call);
    case SHAPE_ARRAY: return call_array(call, row);
    case SHAPE_VCPU: return call_vcpu(call, row);
    default: return call_one(call, row, call->arg[1]);
    }
}

void hypercall(struct vcpu *v)
{
    struct regs *regs = &v->regs;
    struct hc_call call;
    struct vcpu_mode mode;

    call.vcpu = v;
    call.domain = v->domain;
    call.arg[0] = regs->rdi;
    call.arg[1] = regs->rsi;
    call.arg[2] = regs->rdx;
    call.arg[3] = regs->r10;
    call.arg[4] = regs->r8;
    call.deadline = 0;
    call.again = false;
    call.batch.count = 0;

    vcpu_mode(v, &mode);
    if (mode.cpl != 0) {
        regs->rax = (uint64_t)-XEN_EPERM;
    } else if (!mode.cs_long) {
        /* 32-bit callers use other registers and other structures. */
        regs->rax = (uint64_t)-XEN_ENOSYS;
    } else {
        int64_t rc = dispatch(&call, regs->rax & UINT32_MAX);

        if (call.again && rc >= 0) {
            regs->rdi = call.arg[0];
            regs->rsi = call.arg[1];
            regs->rdx = call.arg[2];
            return;
        }
        regs->rax = (uint64_t)rc;
    }
    regs->rip += CALL_LENGTH;
}

bool hc_should_stop(struct hc_call *call)
{
    uint64_t now = clock_now();

    if (call->deadline == 0)
        call->deadline = now + SHARE_NS;
    call->again = now >= call->deadline;
    return call->again;
}
