/* All that a row of hypercall.def names: include this, define HC and HC_WORD, include the rows. */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#include <abi/bulkhead.h>
#include <abi/console.h>
#include <abi/control.h>
#include <abi/event.h>
#include <abi/grant.h>
#include <abi/hvm.h>
#include <abi/memory.h>
#include <abi/rights.h>
#include <abi/vcpu.h>
#include <abi/version.h>

/* Stands where a call has an address word but no structure behind it. */
struct hc_none {
    uint8_t unused;
};

#endif
