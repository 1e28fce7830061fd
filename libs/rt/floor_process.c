/* System calls on the process, which is the domain. */
#include "floor.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include <hcall.h>
#include <rt/start.h>

#include "cpu.h"
#include "internal.h"

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002

/* Where the program made this call: floor.S pushed RCX and R11 above its arguments. */
static void end_at_call(uint32_t kind, const char *why, const uint64_t *args)
{
    life_word(kind, why, args[7], floor_sp, 0);
}

/* A program that ends well powers its domain off; otherwise it has crashed. */
long floor_exit(const uint64_t a[6])
{
    unsigned status = (unsigned)a[0] & 0xff;

    console_flush();
    if (status == 0) {
        end_at_call(LIFE_ORDERLY, "", a);
        die_shutdown(SHUTDOWN_poweroff);
    }
    end_at_call(LIFE_WORD, "its program failed: see its last line", a);
    console_text("exit status 0x");
    console_hex(status, 2);
    console_text("\n");
    die_shutdown(SHUTDOWN_crash);
}

/* abort() and raise(): there is nobody else to signal. The last argument is the signal. */
long floor_kill(const uint64_t a[6])
{
    end_at_call(LIFE_WORD, "abort(), or a failed assertion", a);
    die("killed by a signal of its own");
}

long floor_arch_prctl(const uint64_t a[6])
{
    if (a[0] == ARCH_SET_FS)
        msr_write(MSR_FS_BASE, a[1]);
    else if (a[0] == ARCH_SET_GS)
        msr_write(MSR_GS_BASE, a[1]);
    else
        return -EINVAL;
    return 0;
}

long floor_getrandom(const uint64_t a[6])
{
    uint8_t *to = floor_pointer(a[0]);

    for (size_t done = 0; done < a[1]; done += sizeof(uint64_t)) {
        uint64_t v = start_random();
        size_t left = a[1] - done;

        memcpy(to + done, &v, left < sizeof(v) ? left : sizeof(v));
    }
    return (long)a[1];
}

long floor_yield(const uint64_t a[6])
{
    (void)a;
    return hcall_sched_yield();
}

long floor_uname(const uint64_t a[6])
{
    static const struct utsname name = {.sysname = "Bulkhead", .machine = "x86_64"};

    memcpy(floor_pointer(a[0]), &name, sizeof(name));
    return 0;
}
