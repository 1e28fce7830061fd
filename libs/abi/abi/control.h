/* Control operations: Xen's domctl and sysctl where they fit. */
#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

#include <abi/xen.h>

#include <xen/domctl.h>
#include <xen/sysctl.h>

_Static_assert(sizeof(struct xen_domctl) == 144, "domctl");
_Static_assert(sizeof(struct xen_sysctl) == 136, "sysctl");

#endif
