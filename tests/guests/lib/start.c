#include "start.h"

#include "call.h"
#include "console.h"
#include "cpu.h"
#include "trap.h"

#include <abi/version.h>

#include <xen/sched.h>

static const struct hvm_start_info *info;
static domid_t self = DOMID_INVALID;

_Noreturn void start_main(const struct hvm_start_info *start);

static _Noreturn void shut_down(unsigned reason)
{
    struct sched_shutdown request = {.reason = reason};

    for (;;)
        call_sched(SCHEDOP_shutdown, &request);
}

void start_power_off(void)
{
    console_drain();
    shut_down(SHUTDOWN_poweroff);
}

void start_crash(void)
{
    console_drain();
    shut_down(SHUTDOWN_crash);
}

const struct hvm_start_info *start_info(void)
{
    return info;
}

domid_t start_self(void)
{
    return self;
}

static const char *after(const char *text, const char *key)
{
    for (; *key; key++, text++)
        if (*text != *key)
            return NULL;
    return text;
}

const char *start_option(const char *key)
{
    const char *line = (const char *)(uintptr_t)info->cmdline_paddr;

    for (const char *p = line; p && *p; p++) {
        const char *value = after(p, key);

        if (value && (p == line || p[-1] == ' '))
            return value;
    }
    return NULL;
}

unsigned long start_number(const char *key, unsigned long otherwise)
{
    const char *digit = start_option(key);
    unsigned long value = 0;

    if (!digit || *digit < '0' || *digit > '9')
        return otherwise;
    for (; *digit >= '0' && *digit <= '9' && value < 100000000; digit++)
        value = value * 10 + (unsigned long)(*digit - '0');
    return value;
}

void start_main(const struct hvm_start_info *start)
{
    struct cpu_regs leaf;

    info = start;
    trap_init();
    /* Without a hypervisor there is nobody to tell: an undefined instruction, then a triple fault.
     */
    if (!call_init())
        __builtin_trap();
    leaf = cpu_id(call_leaf() + 4, 0);
    if (cpu_id(call_leaf(), 0).eax >= call_leaf() + 4 && leaf.eax & XEN_HVM_CPUID_DOMID_PRESENT)
        self = (domid_t)leaf.ecx;
    if (start_option("console=ring"))
        console_use_ring();
    guest_run();
    start_power_off();
}
