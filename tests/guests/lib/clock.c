#include "clock.h"

#include "cpu.h"
#include "event.h"

uint64_t clock_ns(uint64_t tsc)
{
    const volatile struct vcpu_time_info *time = &event_shared()->vcpu_info[0].time;
    uint32_t version;
    uint32_t scale;
    int shift;
    uint64_t since;
    uint64_t base;

    /* The hypervisor makes the version odd while it writes. */
    do {
        version = time->version & ~1u;
        cpu_barrier();
        scale = time->tsc_to_system_mul;
        shift = time->tsc_shift;
        since = tsc - time->tsc_timestamp;
        base = time->system_time;
        cpu_barrier();
    } while (version != time->version);
    since = shift >= 0 ? since << shift : since >> -shift;
    return base + (uint64_t)((unsigned __int128)since * scale >> 32);
}

uint64_t clock_tsc_khz(void)
{
    const volatile struct vcpu_time_info *time = &event_shared()->vcpu_info[0].time;
    uint64_t khz = (1000000ull << 32) / time->tsc_to_system_mul;
    int shift = time->tsc_shift;

    return shift >= 0 ? khz >> shift : khz << -shift;
}
