/* Version and features that a guest may ask for, and the CPUID leaves it finds us by. */
#ifndef ABI_VERSION_H
#define ABI_VERSION_H

#include <abi/xen.h>

#include <xen/arch-x86/cpuid.h>
#include <xen/features.h>
#include <xen/version.h>

/* The version of Xen's public interface that is announced. */
#define VERSION_MAJOR 4u
#define VERSION_MINOR 17u

/* The MSR that a guest writes a page address to in order to get a hypercall page. */
#define VERSION_HYPERCALL_MSR 0x40000000u

#endif
