/* The stubs that trap: every row of hypercall.def as a function. */
#include <hcall.h>

#include <cpuid.h>
#include <stdbool.h>

/* Xen's 64-bit convention: number in RAX, arguments in RDI RSI RDX R10 R8; all may be clobbered. */
struct words {
    uint64_t a, b, c;
};

/* AMD's instruction faults on Intel and the other way round; neither is in CPUID's features. */
static bool is_amd(void)
{
    static enum { UNKNOWN, AMD, OTHER } vendor;
    uint32_t a = 0, b = 0, c = 0, d = 0;

    if (vendor == UNKNOWN) {
        __cpuid(0, a, b, c, d);
        vendor = b == signature_AMD_ebx || b == 0x6f677948u /* "Hygo" */ ? AMD : OTHER;
    }
    return vendor == AMD;
}

static int trap(uint64_t number, struct words w)
{
    if (is_amd())
        __asm__ volatile("vmmcall"
                         : "+a"(number), "+D"(w.a), "+S"(w.b), "+d"(w.c)
                         :
                         : "r8", "r9", "r10", "r11", "memory");
    else
        __asm__ volatile("vmcall"
                         : "+a"(number), "+D"(w.a), "+S"(w.b), "+d"(w.c)
                         :
                         : "r8", "r9", "r10", "r11", "memory");
    return (int)(int64_t)number;
}

static uint64_t word(const volatile void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* Control calls carry their sub-operation and the version of their structure in themselves. */
static uint32_t control_version(uint64_t number)
{
    return number == __HYPERVISOR_sysctl ? XEN_SYSCTL_INTERFACE_VERSION
                                         : XEN_DOMCTL_INTERFACE_VERSION;
}

#define STUB_ONE(name, number, sub, type)                                                          \
    int hcall_##name(type *arg)                                                                    \
    {                                                                                              \
        return trap(number, (struct words){sub, word(arg), 0});                                    \
    }
#define STUB_ARRAY(name, number, sub, type)                                                        \
    int hcall_##name(type *arg, unsigned count)                                                    \
    {                                                                                              \
        return trap(number, (struct words){sub, word(arg), count});                                \
    }
#define STUB_VCPU(name, number, sub, type)                                                         \
    int hcall_##name(unsigned vcpu, type *arg)                                                     \
    {                                                                                              \
        return trap(number, (struct words){sub, vcpu, word(arg)});                                 \
    }
#define STUB_CTL(name, number, sub, type)                                                          \
    int hcall_##name(type *arg)                                                                    \
    {                                                                                              \
        arg->cmd = sub;                                                                            \
        arg->interface_version = control_version(number);                                          \
        return trap(number, (struct words){word(arg), 0, 0});                                      \
    }
#define HC(name, number, sub, type, dir, shape, who) STUB_##shape(name, number, sub, type)
#define HC_WORD(name, number, sub, who)
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD

int hcall_version(void)
{
    return trap(__HYPERVISOR_xen_version, (struct words){XENVER_version, 0, 0});
}

int hcall_timer_set(uint64_t deadline_ns)
{
    return trap(__HYPERVISOR_set_timer_op, (struct words){deadline_ns, 0, 0});
}

int hcall_console_write(const char *text, unsigned len)
{
    return trap(__HYPERVISOR_console_io, (struct words){CONSOLEIO_write, len, word(text)});
}

int hcall_console_read(char *text, unsigned len)
{
    return trap(__HYPERVISOR_console_io, (struct words){CONSOLEIO_read, len, word(text)});
}

int hcall_sched_yield(void)
{
    return trap(__HYPERVISOR_sched_op, (struct words){SCHEDOP_yield, 0, 0});
}

int hcall_event_wait(uint64_t deadline_ns, uint64_t ports)
{
    return trap(HYPERVISOR_BULKHEAD, (struct words){BULKHEAD_event_wait, deadline_ns, ports});
}

int hcall_sched_block(void)
{
    return trap(__HYPERVISOR_sched_op, (struct words){SCHEDOP_block, 0, 0});
}
