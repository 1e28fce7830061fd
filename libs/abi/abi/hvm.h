/* HVM parameters and operations, which PVH guests use too. */
#ifndef ABI_HVM_H
#define ABI_HVM_H

#include <abi/xen.h>

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

_Static_assert(sizeof(struct xen_hvm_param) == 16, "HVM parameter");

/* HVM_PARAM_CALLBACK_IRQ, bits 63:56: type 2 = a vector in bits 7:0. */
#define HVM_CALLBACK_TYPE_SHIFT  56
#define HVM_CALLBACK_TYPE_VECTOR 2u

#endif
