/* What a hypercall's handler is given beside its argument. */
#pragma once

#include <abi/hypercall.h>

#include "grant/grant.h"

struct vcpu;
struct domain;

/* Memory operations carry the extent to go on from above their command. */
#define HC_EXTENT_SHIFT 6

struct hc_call {
    struct vcpu *vcpu;        /* the caller */
    struct domain *domain;    /* its domain */
    uint64_t arg[5];          /* RDI RSI RDX R10 R8 */
    uint32_t right;           /* of the row; 0: anyone */
    struct domain *target;    /* whom a call about a domain is about, held as long as it lasts */
    struct vcpu *target_vcpu; /* of a vcpu_op */
    uint64_t deadline;        /* for hc_should_stop; 0: not set yet */
    bool again;               /* not done: call again with the arguments as they are now */
    struct grant_batch batch; /* unmapped grants that wait for one flush */
};

/*
 * The vCPU executed VMMCALL or VMCALL: does the call, sets RAX, and moves RIP
 * past it unless the call goes on at the next entry.
 */
void hypercall(struct vcpu *v);

/* The call has used its share of time: its handler stops here, and goes on when it comes again. */
bool hc_should_stop(struct hc_call *call);

/* One handler per row of hypercall.def. */
#define HC(name, number, sub, type, dir, shape, who) int hc_##name(struct hc_call *call, type *arg);
#define HC_WORD(name, number, sub, who)              int64_t hc_##name(struct hc_call *call);
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD
