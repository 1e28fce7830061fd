/* The token bucket: `used` leaks away at LIMIT_RATE. */
#include "console/parts.h"

#define NS_PER_BYTE (1000000000u / LIMIT_RATE)

static void leak(struct console_limit *l, uint64_t now)
{
    uint64_t bytes = (now - l->time) / NS_PER_BYTE;

    if (bytes >= l->used) {
        l->used = 0;
        l->time = now;
    } else {
        l->used -= (uint32_t)bytes;
        l->time += bytes * NS_PER_BYTE;
    }
}

uint32_t limit_take(struct console_limit *l, uint64_t now, uint32_t len)
{
    leak(l, now);
    uint32_t room = LIMIT_BURST - l->used;
    uint32_t n = len < room ? len : room;
    l->used += n;
    l->dropped += len - n;
    return n;
}

uint64_t limit_report(struct console_limit *l, uint64_t now)
{
    uint64_t dropped = l->dropped;

    leak(l, now);
    if (l->used > LIMIT_BURST / 2)
        return 0;
    l->dropped = 0;
    return dropped;
}
