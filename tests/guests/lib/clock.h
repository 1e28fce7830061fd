/* The PV clock of vCPU 0. */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include <stdint.h>

/* System time in nanoseconds at a reading of the TSC. */
uint64_t clock_ns(uint64_t tsc);

uint64_t clock_tsc_khz(void);

#endif
