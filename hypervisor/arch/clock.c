/*
 * Time. The TSC and the local APIC's timer are measured at once against the HPET
 * or the ACPI PM timer, for a hundredth of a second.
 */
#include <arch/clock.h>

#include <arch/acpi.h>
#include <arch/apic.h>
#include <arch/io.h>

#include "console/console.h"
#include "mm/paging.h"

#define NS_PER_SECOND 1000000000u
#define PM_TIMER_HZ   3579545u
#define MEASURE_PARTS 100u /* of a second */
#define SAMPLES       5u
#define ARM_MAX       (NS_PER_SECOND / 2) /* a longer wait is armed again when this is over */

enum { HPET_PERIOD = 1, HPET_CONFIG = 4, HPET_COUNTER = 60 }; /* in 32-bit words */

static struct {
    struct clock_scale scale;
    uint64_t tsc_hz;
    uint64_t boot_seconds;
    uint64_t apic_per_ns; /* 32.32 */
    volatile uint32_t *hpet;
    uint64_t reference_hz;
    uint32_t reference_mask;
} clock;

static uint64_t tsc_read(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* Turns the HPET on, or takes the PM timer; false: there is neither. */
static bool reference_init(void)
{
    if (acpi.hpet)
        clock.hpet = paging_map_device((hpa_t){acpi.hpet}, 0x400);
    if (clock.hpet && clock.hpet[HPET_PERIOD]) {
        clock.hpet[HPET_CONFIG] |= 1;
        clock.reference_hz = 1000000000000000u / clock.hpet[HPET_PERIOD];
        clock.reference_mask = UINT32_MAX;
        return true;
    }
    clock.hpet = NULL;
    clock.reference_hz = PM_TIMER_HZ;
    clock.reference_mask = acpi.pm_timer_wide ? UINT32_MAX : 0xffffff;
    return acpi.pm_timer;
}

static uint32_t reference_read(void)
{
    return clock.hpet ? clock.hpet[HPET_COUNTER] : io_read32(acpi.pm_timer);
}

struct sample {
    uint64_t tsc;
    uint32_t reference, apic;
};

/* The tightest of several: an interruption between the two reads spoils one, not all. */
static struct sample sample_take(void)
{
    struct sample best = {0, 0, 0};
    uint64_t tightest = UINT64_MAX;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = tsc_read();
        uint32_t reference = reference_read();
        uint32_t apic = apic_timer_left();
        uint64_t after = tsc_read();
        if (after - before < tightest) {
            tightest = after - before;
            best = (struct sample){before + (after - before) / 2, reference, apic};
        }
    }
    return best;
}

static void scale_set(uint64_t hz)
{
    int8_t shift = 0;

    clock.tsc_hz = hz;
    for (; hz > 2 * (uint64_t)NS_PER_SECOND; hz >>= 1)
        shift--;
    for (; hz <= NS_PER_SECOND; hz <<= 1)
        shift++;
    clock.scale.mul = (uint32_t)(((uint64_t)NS_PER_SECOND << 32) / hz);
    clock.scale.shift = shift;
}

static void measure(void)
{
    uint64_t wanted = clock.reference_hz / MEASURE_PARTS;

    apic_timer_start(UINT32_MAX);
    struct sample first = sample_take(), last;
    while (((reference_read() - first.reference) & clock.reference_mask) < wanted)
        cpu_relax();
    last = sample_take();
    apic_timer_start(0);

    uint64_t ticks = (last.reference - first.reference) & clock.reference_mask;
    scale_set((last.tsc - first.tsc) * clock.reference_hz / ticks);
    uint64_t apic_hz = (uint64_t)(first.apic - last.apic) * clock.reference_hz / ticks;
    clock.apic_per_ns = (apic_hz << 29) / NS_PER_SECOND << 3;
}

void clock_init(void)
{
    scale_set(NS_PER_SECOND);
    clock.apic_per_ns = 1ull << 32;
    if (reference_init())
        measure();
    else
        console_log("clock: neither HPET nor PM timer: the rate of the TSC is guessed");
    clock.scale.tsc_base = tsc_read();
    clock.boot_seconds = rtc_read(acpi.century);
}

uint64_t clock_now(void)
{
    uint64_t delta = tsc_read() - clock.scale.tsc_base;

    if (!clock.scale.tsc_base)
        return 0; /* nothing is measured yet */
    delta = clock.scale.shift < 0 ? delta >> -clock.scale.shift : delta << clock.scale.shift;
    return (uint64_t)((unsigned __int128)delta * clock.scale.mul >> 32);
}

const struct clock_scale *clock_scale(void)
{
    return &clock.scale;
}

uint64_t clock_tsc_hz(void)
{
    return clock.tsc_hz;
}

uint64_t clock_boot_seconds(void)
{
    return clock.boot_seconds;
}

void clock_timer_arm(uint64_t deadline)
{
    uint64_t now = clock_now();
    uint64_t wait = deadline > now ? deadline - now : 0;

    if (deadline == CLOCK_NEVER) {
        apic_timer_start(0);
        return;
    }
    if (wait > ARM_MAX)
        wait = ARM_MAX;
    apic_timer_start((uint32_t)(wait * clock.apic_per_ns >> 32) + 1);
}
