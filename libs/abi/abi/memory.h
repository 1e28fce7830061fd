/* Memory operations. */
#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H

#include <abi/xen.h>

#include <xen/memory.h>

#include <xen/arch-x86/hvm/start_info.h>

_Static_assert(sizeof(struct xen_memory_reservation) == 32, "reservation");
_Static_assert(sizeof(struct xen_add_to_physmap) == 24, "add_to_physmap");
_Static_assert(sizeof(struct xen_remove_from_physmap) == 16, "remove_from_physmap");

#endif
