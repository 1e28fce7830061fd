/*
 * QEMU's TCG can lose an interrupt. VMRUN that offers the guest one sets a bit of
 * the word in which other threads note that the local APIC has something, and
 * does so without their lock: a note made at that moment is gone. The APIC keeps
 * the interrupt until the next one makes QEMU look, but the timer's is the only
 * one that a guest which computes ever sees. So there is always a next one.
 */
#include <arch/heartbeat.h>

#include <arch/cpu.h>
#include <arch/io.h>

#include "util/string.h"

#define PIT_CHANNEL0 0x40
#define PIT_COMMAND  0x43
#define RATE         0x34 /* channel 0, both bytes of the divisor, over and over */

#define CPUID_HYPERVISOR 0x40000000u

bool heartbeat_start(void)
{
    struct cpuid leaf = cpu_cpuid(CPUID_HYPERVISOR, 0);
    const uint32_t name[3] = {leaf.ebx, leaf.ecx, leaf.edx};

    if (memcmp(name, "TCGTCGTCGTCG", sizeof(name)) != 0)
        return false;
    io_write8(PIT_COMMAND, RATE);
    io_write8(PIT_CHANNEL0, 0); /* of 1,193,182 Hz the 65,536th part */
    io_write8(PIT_CHANNEL0, 0);
    return true;
}
