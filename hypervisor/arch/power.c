/* Power off and restart. */
#include <arch/power.h>

#include <arch/cpu.h>
#include <arch/io.h>

#include "domain/first.h"

#define DEBUG_EXIT_BASE 0x10u /* the emulator exits with ((0x10 + status) << 1) | 1 */
#define KEYBOARD        0x64
#define KEYBOARD_RESET  0xfe

_Noreturn void power_off(unsigned status)
{
    if (boot_options.debug_exit)
        io_write32(boot_options.debug_exit, DEBUG_EXIT_BASE + status);
    cpu_stop();
}

_Noreturn void power_reboot(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing = {0, 0};

    io_write8(KEYBOARD, KEYBOARD_RESET);
    for (unsigned i = 0; i < 100000; i++)
        io_read8(KEYBOARD);
    /* No gate for the exception, none for the double fault: the CPU shuts down. */
    __asm__ volatile("lidt %0; int3" : : "m"(nothing));
    cpu_stop();
}
