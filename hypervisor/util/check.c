/* A broken invariant: says where, and stops the machine. */
#include "util/check.h"

#include <arch/power.h>

#include "console/console.h"

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    console_panic("panic: %s:%d: %s", file, line, what);
    power_off(STATUS_PANIC);
}
