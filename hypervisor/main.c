/* The core's start, in order. */
#include <arch/cpu.h>
#include <arch/power.h>
#include <arch/trap.h>
#include <arch/uart.h>

#include "boot/handoff.h"
#include "boot/options.h"
#include "console/console.h"
#include "util/string.h"

_Noreturn void main(uint32_t protocol, uint64_t info);

/* Whether the word stands on the command line: asked for before anything is logged. */
static bool is_headless(const char *cmdline)
{
    for (const char *p = cmdline; *p; p++)
        if ((p == cmdline || p[-1] == ' ') && strncmp(p, "headless", 8) == 0)
            return true;
    return false;
}

_Noreturn void main(uint32_t protocol, uint64_t info)
{
    cpu_init(0);
    trap_init();
    uart_init();
    bool known = handoff_collect(protocol, info) == 0;
    console_init(is_headless(handoff.cmdline));
    console_log("Bulkhead, started by %s", known ? handoff.protocol : "nobody we know");
    options_parse(&boot_options, handoff.cmdline);
    for (unsigned i = 0; i < handoff.range_count; i++)
        console_log("memory %016lx - %016lx %s", handoff.range[i].start, handoff.range[i].end,
                    handoff.is_ram[i] ? "RAM" : "reserved");
    console_log("module %lx - %lx", handoff.module.start, handoff.module.end);
    power_off(0);
}
