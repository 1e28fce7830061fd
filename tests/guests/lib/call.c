#include "call.h"

#include "cpu.h"

#include <abi/version.h>

#define CALL_LEAF_FIRST 0x40000000u
#define CALL_LEAF_LAST  0x40010000u

static uint32_t leaf;

bool call_init(void)
{
    for (leaf = CALL_LEAF_FIRST; leaf < CALL_LEAF_LAST; leaf += 0x100) {
        struct cpu_regs r = cpu_id(leaf, 0);

        if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX &&
            r.edx == XEN_CPUID_SIGNATURE_EDX && r.eax >= leaf + 2) {
            cpu_msr_write(cpu_id(leaf + 2, 0).ebx, call_address(call_table));
            return true;
        }
    }
    return false;
}

uint32_t call_leaf(void)
{
    return leaf;
}
