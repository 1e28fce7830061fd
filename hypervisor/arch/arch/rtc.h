/* The date, from the battery clock. */
#ifndef ARCH_RTC_H
#define ARCH_RTC_H

#include <stdint.h>

/* Unix time in seconds; 0 if there is no sensible date. century: its register, 0: none. */
uint64_t rtc_read(uint8_t century);

#endif
