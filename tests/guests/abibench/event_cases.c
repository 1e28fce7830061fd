/* An event to oneself: seen by polling the pending bit, and taken as an upcall. */
#include "bench.h"
#include "cpu.h"
#include "event.h"

void bench_event_poll(void)
{
    if (!bench_second) {
        bench_skip("evtchn_send_poll", -1);
        return;
    }
    event_mask(bench_first);
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start;

        event_clear(bench_first);
        start = cpu_tsc();
        event_send(bench_second);
        while (!event_is_pending(bench_first))
            cpu_barrier();
        bench_samples[0][i] = cpu_tsc() - start;
    }
    event_clear(bench_first);
    bench_report("evtchn_send_poll", bench_samples[0], bench_count);

    /* Already pending: there is nothing for the hypervisor to do. */
    event_send(bench_second);
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start = cpu_tsc();

        event_send(bench_second);
        bench_samples[0][i] = cpu_tsc() - start;
    }
    event_clear(bench_first);
    bench_report("evtchn_send_again", bench_samples[0], bench_count);
}

void bench_event_upcall(void)
{
    if (!bench_second || !bench_has_upcall) {
        bench_skip("evtchn_send_irq", -1);
        return;
    }
    cpu_irq_off();
    event_clear(bench_first);
    event_unmask(bench_first);
    cpu_irq_on();
    for (unsigned i = 0; i < bench_count; i++) {
        uint64_t start;
        uint64_t end;

        event_last = 0;
        start = cpu_tsc();
        event_send(bench_second);
        while (event_last != bench_first)
            cpu_barrier();
        end = cpu_tsc();
        bench_samples[0][i] = event_upcall_tsc - start;
        bench_samples[1][i] = end - start;
    }
    event_mask(bench_first);
    bench_report("evtchn_send_irq", bench_samples[0], bench_count);
    bench_report("evtchn_send_irq_return", bench_samples[1], bench_count);
}
