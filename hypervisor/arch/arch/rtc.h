/* The date, from the battery clock. */
#pragma once

#include <stdint.h>

/* Unix time in seconds; 0 if there is no sensible date. century: its register, 0: none. */
uint64_t rtc_read(uint8_t century);
