/* Event channels: Xen's 2-level ABI, shared info and virtual interrupts. */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include <abi/xen.h>

#include <xen/event_channel.h>

/* Ports of the 2-level ABI for 64-bit guests: 64 words of 64 bits. */
#define EVENT_PORTS 4096u

_Static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == 8, "pending selector");
_Static_assert(offsetof(struct vcpu_info, time) == 32, "pvclock");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 2048, "pending bits");
_Static_assert(offsetof(struct shared_info, evtchn_mask) == 2560, "mask bits");
_Static_assert(offsetof(struct shared_info, wc_version) == 3072, "wall clock");

#endif
