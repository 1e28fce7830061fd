/*
 * A token bucket, kept as the time at which it will be full: what is sent moves
 * that on, and may be sent while it is no further away than the bucket is deep.
 * So a frame longer than the bucket may go as well, and is paid afterwards; the
 * average is exact for any length.
 */
#ifndef SWITCH_RATE_H
#define SWITCH_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* KiB/s, KiB/s, KiB; 0: not given. */
struct switch_rate {
    uint32_t average, peak, burst;
};

struct switch_bucket {
    uint64_t rate;  /* units in a second; 0: no limit */
    uint64_t depth; /* nanoseconds that it takes to fill */
    uint64_t full;
};

/* Full at first. */
void switch_bucket_init(struct switch_bucket *b, uint64_t rate, uint64_t burst, uint64_t now);

/* When the next unit may go; not later than now: it may. */
static inline uint64_t switch_bucket_ready(const struct switch_bucket *b)
{
    return b->rate == 0 || b->full < b->depth ? 0 : b->full - b->depth;
}

void switch_bucket_take(struct switch_bucket *b, uint64_t units, uint64_t now);

/* More than so many units were taken that were not there. */
bool switch_bucket_owes(const struct switch_bucket *b, uint64_t units, uint64_t now);

#endif
