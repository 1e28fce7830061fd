/* Time: the TSC as nanoseconds, one one-shot timer per CPU, the date at boot. */
#pragma once

#include <stdint.h>

/*
 * How TSC ticks become nanoseconds since boot, in the terms of the PV clock:
 * ns = (((tsc - tsc_base) << or >> |shift|) * mul) >> 32.
 */
struct clock_scale {
    uint64_t tsc_base;
    uint32_t mul;
    int8_t shift;
};

/* Measures; needs the ACPI tables, the local APIC and device mappings. Takes about 10 ms. */
void clock_init(void);

uint64_t clock_now(void); /* nanoseconds since boot, the same on all CPUs */
const struct clock_scale *clock_scale(void);
uint64_t clock_tsc_hz(void);

/* The battery clock: Unix time in seconds; 0 if there is no sensible date. century: its register,
 * 0: none. */
uint64_t rtc_read(uint8_t century);

/* Unix time in seconds at boot (clock_now() == 0), from the RTC. */
uint64_t clock_boot_seconds(void);

#define CLOCK_NEVER UINT64_MAX

/* Arms this CPU's timer for clock_now() >= deadline; it sets cpu_this()->timer_fired. */
void clock_timer_arm(uint64_t deadline);
