/* The host as a whole: what it has, and its end. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/power.h>

#include "domain/first.h"
#include "hypercall/call.h"
#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"

int hc_host_info(struct hc_call *, struct bulkhead_host_info *arg)
{
    arg->memory_bytes = frame_total() << PAGE_SHIFT;
    arg->free_bytes = frame_free() << PAGE_SHIFT;
    arg->core_bytes = pool_bytes();
    arg->pool_free_bytes = pool_bytes_free();
    arg->uptime_ns = clock_now();
    arg->wallclock_s = clock_boot_seconds() + clock_now() / 1000000000u;
    arg->cpus = cpu_count();
    arg->flags = (boot_options.headless ? BULKHEAD_HOST_HEADLESS : 0) |
                 (iommu_is_on() ? BULKHEAD_HOST_IOMMU : 0);
    return 0;
}

int hc_host_shutdown(struct hc_call *, struct bulkhead_host_shutdown *arg)
{
    if (arg->action > BULKHEAD_HOST_REBOOT || arg->status > 63)
        return -XEN_EINVAL;
    if (arg->action == BULKHEAD_HOST_REBOOT)
        power_reboot();
    power_off(arg->status);
}
