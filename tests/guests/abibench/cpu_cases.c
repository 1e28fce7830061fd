/* What costs an exit without any work behind it, and what costs none. */
#include "bench.h"
#include "call.h"
#include "cpu.h"
#include "trap.h"

#include <abi/vcpu.h>
#include <abi/version.h>

#define APIC_BASE_MSR 0x1bu
#define APIC_ENABLED  (1u << 11)
#define APIC_X2       (1u << 10)
#define APIC_VERSION  0xfee00030u
#define CPUID_APIC    (1u << 9)

void bench_rdtsc(void)
{
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        cpu_barrier();
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("rdtsc_overhead", bench_samples[0], bench_count);
}

void bench_hypercall(void)
{
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        call_version(XENVER_version, NULL);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("hypercall_null", bench_samples[0], bench_count);
}

void bench_hypercall_copy(void)
{
    struct xen_feature_info features = {.submap_idx = 0};

    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        call_version(XENVER_get_features, &features);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("hypercall_copy", bench_samples[0], bench_count);
}

static void cpuid_cost(const char *name, uint32_t leaf)
{
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        cpu_id(leaf, 0);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report(name, bench_samples[0], bench_count);
}

void bench_cpuid(void)
{
    cpuid_cost("cpuid_exit", 0);
}

void bench_cpuid_leaf(void)
{
    cpuid_cost("cpuid_exit_xenleaf", call_leaf());
}

void bench_yield(void)
{
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        call_sched(SCHEDOP_yield, NULL);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("sched_yield", bench_samples[0], bench_count);
}

void debug_entry(void);

/*
 * One single-step trap: the trap flag set, a nop, #DB, iret. Where the hypervisor intercepts #DB
 * this is an exit that needs no instruction length, where it does not it is a trap inside the
 * guest.
 */
void bench_debug_trap(void)
{
    trap_set_gate(TRAP_DEBUG, debug_entry);
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("db_trap", bench_samples[0], bench_count);
    trap_set_gate(TRAP_DEBUG, NULL);
}

/* In x2APIC mode there is no register page; the way back leads through the disabled state. */
static void leave_x2apic(void)
{
    uint64_t base = cpu_msr_read(APIC_BASE_MSR);

    if (!(base & APIC_X2))
        return;
    cpu_msr_write(APIC_BASE_MSR, base & ~(uint64_t)(APIC_ENABLED | APIC_X2));
    cpu_msr_write(APIC_BASE_MSR, (base | APIC_ENABLED) & ~(uint64_t)APIC_X2);
}

void bench_apic(void)
{
    const volatile uint32_t *version = (const volatile uint32_t *)(uintptr_t)APIC_VERSION;

    if (!(cpu_id(1, 0).edx & CPUID_APIC) || !(cpu_msr_read(APIC_BASE_MSR) & APIC_ENABLED)) {
        bench_skip("lapic_mmio_read", -1);
        return;
    }
    leave_x2apic();
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        (void)*version;
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("lapic_mmio_read", bench_samples[0], bench_count);
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        cpu_msr_read(APIC_BASE_MSR);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    bench_report("rdmsr_apicbase", bench_samples[0], bench_count);
}
