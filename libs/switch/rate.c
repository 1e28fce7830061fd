/* Token buckets, kept as times. */
#include "switch_rate.h"

#define SECOND UINT64_C(1000000000)

static uint64_t time_of(uint64_t units, uint64_t rate)
{
    /* Nothing here comes near 2^64: frames have 2^17 bytes, buckets 2^42. */
    return units / rate * SECOND + units % rate * SECOND / rate;
}

void switch_bucket_init(struct switch_bucket *b, uint64_t rate, uint64_t burst, uint64_t now)
{
    *b = (struct switch_bucket){.rate = rate, .full = now};
    if (rate != 0)
        b->depth = time_of(burst, rate);
}

void switch_bucket_take(struct switch_bucket *b, uint64_t units, uint64_t now)
{
    if (b->rate == 0)
        return;
    if (b->full < now)
        b->full = now;
    b->full += time_of(units, b->rate);
}

bool switch_bucket_owes(const struct switch_bucket *b, uint64_t units, uint64_t now)
{
    uint64_t ready = switch_bucket_ready(b);

    return b->rate != 0 && ready > now && ready - now > time_of(units, b->rate);
}
