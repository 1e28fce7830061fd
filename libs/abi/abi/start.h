/* What a PVH domain is given at its start, and the note that makes a kernel one. */
#ifndef ABI_START_H
#define ABI_START_H

#include <abi/xen.h>

#include <xen/elfnote.h>

#include <xen/arch-x86/hvm/start_info.h>

/*
 * How the control domain's image begins in the bundle; then its memory, zeroes
 * included (toolstack/control/flat.py).
 */
#define BOOT_IMAGE_MAGIC "BHIMAGE1"
struct boot_image {
    char magic[8];
    uint32_t entry; /* as a kernel's note names it */
    uint32_t pad;
    uint64_t address; /* where the memory goes, guest-physical */
};

/*
 * Words of the control domain's command line from its second life on: how many ended
 * before, and by which SHUTDOWN_* the last of them did.
 */
#define START_AGAIN "again="
#define START_ENDED "ended="

_Static_assert(sizeof(struct boot_image) == 24, "image");
_Static_assert(sizeof(struct hvm_start_info) == 56, "start info");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "module");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "memory map entry");

#endif
