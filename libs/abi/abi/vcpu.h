/* Virtual CPUs: per-CPU areas, timers, scheduling. */
#ifndef ABI_VCPU_H
#define ABI_VCPU_H

#include <abi/xen.h>

#include <xen/sched.h>
#include <xen/vcpu.h>

_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "runstate");
_Static_assert(sizeof(struct vcpu_set_singleshot_timer) == 16, "one-shot timer");
_Static_assert(sizeof(struct vcpu_register_vcpu_info) == 16, "vcpu_info registration");
_Static_assert(sizeof(struct vcpu_time_info) == 32, "pvclock");

#endif
