#include "bench.h"

#include "console.h"

uint64_t bench_samples[3][BENCH_SAMPLES];
unsigned bench_count = 2000;

/* Shell sort: no recursion, no memory. */
static void sort(uint64_t *samples, unsigned count)
{
    for (unsigned gap = count / 2; gap; gap /= 2) {
        for (unsigned i = gap; i < count; i++) {
            uint64_t sample = samples[i];
            unsigned j = i;

            for (; j >= gap && samples[j - gap] > sample; j -= gap)
                samples[j] = samples[j - gap];
            samples[j] = sample;
        }
    }
}

void bench_report(const char *name, uint64_t *samples, unsigned count)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += samples[i];
    sort(samples, count);
    console_print("bench %s min=%lu median=%lu mean=%lu unit=tsc n=%u p99=%lu max=%lu\n", name,
                  samples[0], samples[count / 2], sum / count, count,
                  samples[(count - 1) * 99ul / 100], samples[count - 1]);
}

void bench_skip(const char *name, long status)
{
    console_print("skip %s rc=%ld\n", name, status);
}
