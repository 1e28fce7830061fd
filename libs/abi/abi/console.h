/* The PV console ring, and the core's own console calls. */
#ifndef ABI_CONSOLE_H
#define ABI_CONSOLE_H

#include <abi/xen.h>

#include <xen/io/console.h>

_Static_assert(sizeof(struct xencons_interface) == 3088, "console ring");
_Static_assert(offsetof(struct xencons_interface, out) == 1024, "console output");
_Static_assert(offsetof(struct xencons_interface, in_cons) == 3072, "console indices");

/* Leaves an attached session: ^]. Taken by the core, never passed on. */
#define CONSOLE_ESCAPE 0x1d

#endif
