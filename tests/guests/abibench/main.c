/*
 * abibench: what the guest ABI's primitives cost, from a PVH guest.
 *
 * Every result is a line "bench NAME min=.. median=.. mean=.. unit=tsc n=..", a test that the
 * hypervisor refuses is a line "skip NAME rc=..", the last line is "bench done". On the command
 * line: n=COUNT (1000 to 8192 of each), only=NAME[,NAME...], skip=NAME[,NAME...]; device: this
 * domain owns one, and its maps are told by other names.
 */
#include "bench.h"
#include "call.h"
#include "clock.h"
#include "console.h"
#include "event.h"
#include "start.h"

#include <abi/version.h>

struct bench_case {
    const char *name;
    void (*run)(void);
};

static const struct bench_case cases[] = {
    {"rdtsc", bench_rdtsc},
    {"hypercall", bench_hypercall},
    {"hypercall_copy", bench_hypercall_copy},
    {"cpuid", bench_cpuid},
    {"cpuid_xen", bench_cpuid_leaf},
    {"yield", bench_yield},
    {"evtchn_poll", bench_event_poll},
    {"evtchn_irq", bench_event_upcall},
    {"gnt_copy", bench_grant_copy},
    {"timer", bench_timer},
    {"populate", bench_populate},
    {"apic", bench_apic},
    {"dbtrap", bench_debug_trap},
    {"gnt_map", bench_grant_map},
};

unsigned bench_first;
unsigned bench_second;
int bench_has_upcall;

/* Is the name one of a list "A,B,C" that a space or the line's end closes? */
static bool in_list(const char *list, const char *name)
{
    while (*list && *list != ' ') {
        const char *p = name;

        while (*p && *list == *p) {
            list++;
            p++;
        }
        if (!*p && (*list == ',' || *list == ' ' || !*list))
            return true;
        while (*list && *list != ' ' && *list != ',')
            list++;
        if (*list == ',')
            list++;
    }
    return false;
}

static bool wanted(const char *name)
{
    const char *only = start_option("only=");
    const char *skip = start_option("skip=");

    if (skip && in_list(skip, name)) {
        console_print("skip %s rc=cmdline\n", name);
        return false;
    }
    return !only || in_list(only, name);
}

static void set_up(void)
{
    unsigned long count = start_number("n=", bench_count);
    struct xen_feature_info features = {.submap_idx = 0};
    long version = call_version(XENVER_version, NULL);
    long status;

    bench_count = (unsigned)(count < 1000 ? 1000 : count > BENCH_SAMPLES ? BENCH_SAMPLES : count);
    console_print("bench start abibench version=%ld.%ld cpuid_base=%x n=%u\n", version >> 16,
                  version & 0xffff, call_leaf(), bench_count);
    status = event_init();
    if (status) {
        console_print("bench FATAL shared_info rc=%ld\n", status);
        start_crash();
    }
    if (!call_version(XENVER_get_features, &features))
        console_print("info features0=%x tsc_khz=%lu\n", features.submap, clock_tsc_khz());
    status = event_ask_upcall();
    if (status)
        console_print("info callback_irq rc=%ld\n", status);
    bench_has_upcall = !status;
    status = event_pair(&bench_first, &bench_second);
    console_print("info loopback rc=%ld a=%u b=%u\n", status, bench_first, bench_second);
    console_print("info domid=%u known=%u\n", start_self(), start_self() != DOMID_INVALID);
    bench_grant_init();
}

void guest_run(void)
{
    set_up();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (wanted(cases[i].name))
            cases[i].run();
    console_print("bench done\n");
}
