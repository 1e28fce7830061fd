/* The XenStore wire protocol and the states of its device handshake. */
#ifndef ABI_STORE_H
#define ABI_STORE_H

#include <abi/xen.h>

#include <xen/io/xenbus.h>

#include <xen/io/xs_wire.h>

_Static_assert(sizeof(struct xsd_sockmsg) == 16, "message header");
_Static_assert(offsetof(struct xenstore_domain_interface, req_cons) == 2048, "store indices");

/* Limits of the protocol. */
#define STORE_PAYLOAD_MAX XENSTORE_PAYLOAD_MAX
#define STORE_PATH_MAX    XENSTORE_ABS_PATH_MAX

#endif
