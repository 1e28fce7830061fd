/* What a guest did that needs the core, whatever the vendor: called by the vendor's exit table. */
#pragma once

#include <abi/addr.h>

struct vcpu;

/*
 * Each returns whether the instruction is done: the vendor's code then moves
 * RIP past it. Otherwise an exception was injected, or the domain is dead.
 */
bool exit_cpuid(struct vcpu *v);
bool exit_rdmsr(struct vcpu *v);
bool exit_wrmsr(struct vcpu *v);
bool exit_hlt(struct vcpu *v);

struct exit_io {
    uint16_t port;
    uint8_t size; /* 1, 2, 4 */
    bool in;
    bool string;
};
bool exit_io(struct vcpu *v, const struct exit_io *io);

/* An access that the nested page tables did not allow. */
struct exit_nested {
    gpa_t gpa;
    bool write, fetch;
    bool walk; /* by the CPU's walk through the guest's page tables */
};
void exit_nested(struct vcpu *v, const struct exit_nested *fault);
