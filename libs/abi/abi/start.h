/* What a PVH domain is given at its start, and the note that makes a kernel one. */
#ifndef ABI_START_H
#define ABI_START_H

#include <abi/xen.h>

#include <xen/elfnote.h>

#include <xen/arch-x86/hvm/start_info.h>

_Static_assert(sizeof(struct hvm_start_info) == 56, "start info");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "module");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "memory map entry");

#endif
