/* What a guest did that needs the core, whatever the vendor: called by the vendor's exit table. */
#pragma once

#include <abi/addr.h>

struct vcpu;

/*
 * Each returns whether the instruction is done: the vendor's code then moves
 * RIP past it. Otherwise an exception was injected, or the domain is dead.
 */
bool exit_cpuid(struct vcpu *v);
bool exit_msr(struct vcpu *v, bool write);
bool exit_hlt(struct vcpu *v);

/* size: 1, 2, 4 */
bool exit_io(struct vcpu *v, uint16_t port, unsigned size, bool in, bool string);

/* An access that the nested page tables did not allow. walk: by the CPU, through the guest's own.
 */
void exit_nested(struct vcpu *v, gpa_t at, bool write, bool fetch, bool walk);
