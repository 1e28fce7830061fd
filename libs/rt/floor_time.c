/* System calls on time. Sleeping takes no events: they wait for event_next. */
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

#include <rt/clock.h>
#include <rt/event.h>

#include "internal.h"

#define SECOND 1000000000ull

static long read_clock(uint64_t id, uint64_t *now)
{
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        *now = clock_wall();
    else if (id <= CLOCK_BOOTTIME)
        *now = clock_now();
    else
        return -EINVAL;
    return 0;
}

long floor_clock_gettime(const uint64_t a[6])
{
    struct timespec *to = floor_pointer(a[1]);
    uint64_t now;
    long status = read_clock(a[0], &now);

    if (status == 0)
        *to = (struct timespec){.tv_sec = (time_t)(now / SECOND), .tv_nsec = (long)(now % SECOND)};
    return status;
}

long floor_gettimeofday(const uint64_t a[6])
{
    struct timeval *to = floor_pointer(a[0]);
    uint64_t now = clock_wall();

    if (to)
        *to = (struct timeval){.tv_sec = (time_t)(now / SECOND),
                               .tv_usec = (suseconds_t)(now % SECOND / 1000)};
    return 0;
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)SECOND;
}

static uint64_t nanoseconds(const struct timespec *t)
{
    uint64_t s = (uint64_t)t->tv_sec;

    return s < EVENT_FOREVER / 2 / SECOND ? s * SECOND + (uint64_t)t->tv_nsec : EVENT_FOREVER / 2;
}

long floor_nanosleep(const uint64_t a[6])
{
    const struct timespec *t = floor_pointer(a[0]);

    if (!is_time(t))
        return -EINVAL;
    event_sleep(clock_now() + nanoseconds(t));
    return 0;
}

long floor_clock_nanosleep(const uint64_t a[6])
{
    const struct timespec *t = floor_pointer(a[2]);
    uint64_t now;
    long status = read_clock(a[0], &now);

    if (status < 0 || !is_time(t))
        return -EINVAL;

    uint64_t until = nanoseconds(t);

    if ((a[1] & TIMER_ABSTIME) == 0)
        until += now;
    event_sleep(until > now ? clock_now() + (until - now) : 0);
    return 0;
}

/* No descriptor here ever becomes ready: only the time passes. */
static long pass(uint64_t ns)
{
    if (ns == EVENT_FOREVER)
        return -EINVAL;
    event_sleep(clock_now() + ns);
    return 0;
}

long floor_poll(const uint64_t a[6])
{
    int timeout = (int)a[2];

    return pass(timeout < 0 ? EVENT_FOREVER : (uint64_t)timeout * 1000000);
}

long floor_ppoll(const uint64_t a[6])
{
    const struct timespec *t = floor_pointer(a[2]);

    if (t && !is_time(t))
        return -EINVAL;
    return pass(t ? nanoseconds(t) : EVENT_FOREVER);
}
