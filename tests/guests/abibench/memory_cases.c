/* A page given back and taken again. */
#include "bench.h"
#include "call.h"
#include "cpu.h"

#include <abi/memory.h>

static uint8_t balloon[4096] __attribute__((aligned(4096)));

static long reservation(unsigned op)
{
    xen_pfn_t frame = call_address(balloon) / sizeof(balloon);
    struct xen_memory_reservation request = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(request.extent_start, &frame);
    return call_memory(op, &request);
}

void bench_populate(void)
{
    volatile uint8_t *touched = balloon;

    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start;
        long done;

        *touched = (uint8_t)i;
        start = cpu_tsc();
        done = reservation(XENMEM_decrease_reservation);
        bench_samples[0][i] = cpu_tsc() - start;
        if (done != 1) {
            bench_skip("mem_decrease", done);
            return;
        }
        start = cpu_tsc();
        done = reservation(XENMEM_populate_physmap);
        bench_samples[1][i] = cpu_tsc() - start;
        if (done != 1) {
            bench_skip("mem_populate", done);
            return;
        }
        start = cpu_tsc();
        *touched = 1;
        bench_samples[2][i] = cpu_tsc() - start;
    }
    bench_report("mem_decrease_reservation", bench_samples[0], bench_count);
    bench_report("mem_populate_physmap", bench_samples[1], bench_count);
    bench_report("mem_first_touch", bench_samples[2], bench_count);
}
