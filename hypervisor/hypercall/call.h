/* What a hypercall's handler is given beside its argument. */
#ifndef HYPERCALL_CALL_H
#define HYPERCALL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/hypercall.h>

#include "util/check.h"

struct vcpu;
struct domain;
struct hc_row;

struct hc_call {
    struct vcpu *vcpu;      /* the caller */
    struct domain *domain;  /* its domain */
    uint64_t arg[5];        /* RDI RSI RDX R10 R8 */
    const struct hc_row *row;
    bool again;             /* set by a handler: not done, call again with the argument as it is now */
};

/* The vCPU executed VMMCALL or VMCALL: does the call, sets RAX, moves RIP unless it goes on later. */
void hypercall(struct vcpu *v);

/*
 * The domain that a SELF_OR(right) or RIGHT(right) call is about, with a
 * reference: the caller for DOMID_SELF or its own id, another only with the
 * row's right. -XEN_ESRCH, -XEN_EPERM.
 */
MUST_USE int hc_target(const struct hc_call *call, uint16_t domid, struct domain **target);

/* A long-running handler should stop here and set `again`. */
bool hc_should_stop(void);

/* One handler per row of hypercall.def. */
#define HC(name, number, sub, type, dir, shape, who) int hc_##name(struct hc_call *call, type *arg);
#define HC_WORD(name, number, sub, who) int64_t hc_##name(struct hc_call *call);
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD

#endif
