/* What CPUID tells a guest: the host's answers, cut to what is virtualized. */
#pragma once

#include <arch/cpu.h>

struct vcpu;

/* Runs on the CPU that has the vCPU's XCR0 in force (leaf 0xd depends on it). */
struct cpuid cpuid_guest(struct vcpu *v, uint32_t leaf, uint32_t subleaf);
