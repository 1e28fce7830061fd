/* Time in a domain, from the PV clock. */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include <stdint.h>

/* Nanoseconds since the host started; never goes back. */
uint64_t clock_now(void);

/* Unix time in nanoseconds. */
uint64_t clock_wall(void);

#endif
