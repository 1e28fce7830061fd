/* The guest's own HVM parameters. */
#ifndef GUEST_PARAM_H
#define GUEST_PARAM_H

#include "call.h"

#include <abi/hvm.h>

static inline long param_get(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};
    long status = call_hvm(HVMOP_get_param, &param);

    *value = param.value;
    return status;
}

static inline long param_set(uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index, .value = value};

    return call_hvm(HVMOP_set_param, &param);
}

#endif
