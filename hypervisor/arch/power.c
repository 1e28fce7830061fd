/* Power off and restart. */
#include <arch/power.h>

#include <arch/acpi.h>
#include <arch/io.h>

#include "console/console.h"
#include "domain/first.h"
#include "mm/paging.h"

#define DEBUG_EXIT_BASE 0x10u /* the emulator exits with ((0x10 + status) << 1) | 1 */
#define SLEEP_ENABLE    (1u << 13)

/* The firmware's way to sleep for good: type and enable bit to the control registers. */
static void sleep_forever(void)
{
    if (!acpi.has_sleep || !acpi.sleep_port[0])
        return;
    for (unsigned i = 0; i < 2; i++)
        if (acpi.sleep_port[i])
            io_write16(acpi.sleep_port[i],
                       (uint16_t)((unsigned)acpi.sleep_type[i] << 10 | SLEEP_ENABLE));
}

_Noreturn void power_off(unsigned status)
{
    console_flush();
    if (boot_options.debug_exit)
        io_write32((uint16_t)boot_options.debug_exit, DEBUG_EXIT_BASE + status);
    if (status != STATUS_PANIC)
        sleep_forever();
    cpu_stop();
}

static void reset_register(void)
{
    bool in_memory = acpi.has_reset && acpi.reset.in_memory;
    volatile uint8_t *at = in_memory ? paging_map_device((hpa_t){acpi.reset.address}, 1) : NULL;
    if (at)
        *at = acpi.reset_value;
    else if (acpi.has_reset && !in_memory)
        io_write8((uint16_t)acpi.reset.address, acpi.reset_value);
}

_Noreturn void power_reboot(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing = {0, 0};

    console_flush();
    reset_register();
    /* No gate for the exception, none for the double fault: the CPU shuts down. */
    __asm__ volatile("lidt %0; int3" : : "m"(nothing));
    cpu_stop();
}
