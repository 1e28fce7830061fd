/*
 * Typed stubs of all hypercalls, made from hypercall.def: hcall_NAME(argument).
 * This is the seam of effects: a domain links the stubs that trap, a host test
 * links a pretend hypervisor with the same functions.
 *
 * All return zero or a positive result, or a negative error number of Xen's.
 */
#ifndef HCALL_H
#define HCALL_H

#include <abi/hypercall.h>

#define HCALL_PROTO_ONE(name, type)                  int hcall_##name(type *arg);
#define HCALL_PROTO_CTL(name, type)                  int hcall_##name(type *arg);
#define HCALL_PROTO_ARRAY(name, type)                int hcall_##name(type *arg, unsigned count);
#define HCALL_PROTO_VCPU(name, type)                 int hcall_##name(unsigned vcpu, type *arg);
#define HC(name, number, sub, type, dir, shape, who) HCALL_PROTO_##shape(name, type)
#define HC_WORD(name, number, sub, who)
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD

/* The calls that take plain words. */
int hcall_version(void);                                 /* major << 16 | minor */
int hcall_timer_set(uint64_t deadline_ns);               /* 0: stop */
int hcall_console_write(const char *text, unsigned len); /* the core's own console */
int hcall_console_read(char *text, unsigned len);        /* bytes read */
int hcall_sched_yield(void);
int hcall_sched_block(void);
/* Sends on the ports packed into a word, then sleeps: see BULKHEAD_event_wait. */
int hcall_event_wait(uint64_t deadline_ns, uint64_t ports);

#endif
