/* Vector registers, XCR0 and TSC_AUX: swapped when another vCPU gets the CPU. */
#include <arch/fpu.h>

#include <abi/xen.h>

#include <arch/cpu.h>
#include <arch/msr.h>

#include "util/string.h"

#define CPUID_1_ECX_XSAVE     (1u << 26)
#define CPUID_EXT1_EDX_RDTSCP (1u << 27)

#define XSAVE_MXCSR 24
#define MXCSR_RESET 0x1f80u

static uint64_t all_features; /* XCR0 with everything this machine has */
static size_t area_len;
static bool has_tsc_aux;

static uint64_t xcr0_read(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

int fpu_cpu_enable(void)
{
    /* Where it is there, cpu_init has switched it on. */
    if (!(cpu_cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE))
        return -XEN_ENODEV;
    struct cpuid leaf = cpu_cpuid(0xd, 0);

    all_features = (uint64_t)leaf.edx << 32 | leaf.eax;
    area_len = leaf.ecx;
    has_tsc_aux = (cpu_cpuid(0x80000001, 0).edx & CPUID_EXT1_EDX_RDTSCP) != 0;
    xcr0_write(all_features);
    return 0;
}

size_t fpu_area_len(void)
{
    return area_len;
}

void fpu_area_reset(void *area)
{
    static const uint32_t mxcsr = MXCSR_RESET;

    /* A clear XSTATE_BV means initial values, but MXCSR is always loaded. */
    memset(area, 0, area_len);
    memcpy((char *)area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

void fpu_load(const void *area, uint64_t xcr0, uint64_t tsc_aux)
{
    if (xcr0_read() != all_features)
        xcr0_write(all_features);
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)all_features), "d"((uint32_t)(all_features >> 32))
                     : "memory");
    if (xcr0 != all_features)
        xcr0_write(xcr0);
    if (has_tsc_aux)
        msr_write(MSR_TSC_AUX, tsc_aux);
}

uint64_t fpu_save(void *area, uint64_t *tsc_aux)
{
    uint64_t xcr0 = xcr0_read();

    if (xcr0 != all_features)
        xcr0_write(all_features);
    __asm__ volatile("xsave64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)all_features), "d"((uint32_t)(all_features >> 32))
                     : "memory");
    if (has_tsc_aux)
        *tsc_aux = msr_read(MSR_TSC_AUX);
    return xcr0;
}
