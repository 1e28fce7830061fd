/* The interface version: the one door to Xen's public headers; every other header here uses it. */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#define __XEN_TOOLS__             1

#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/errno.h>

#endif
