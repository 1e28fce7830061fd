/* domstats: what domains did since they were created, as counted by the core. */
#include "cli.h"

#include <string.h>

#include <abi/bulkhead.h>
#include <hcall.h>
#include <report/json.h>

/* Where one number of the core's stands, and its name here. */
struct counter {
    const char *name;
    size_t offset;
};

#define COUNTER(name, field)                                                                       \
    {                                                                                              \
        name, offsetof(struct bulkhead_domain_stats, field)                                        \
    }
#define EXITS(name, kind)                                                                          \
    {                                                                                              \
        "exits." name,                                                                             \
            offsetof(struct bulkhead_domain_stats, exits_by) + (kind) * sizeof(uint64_t)           \
    }

static const struct counter counters[] = {
    COUNTER("cpu.time", cpu_ns),
    COUNTER("memory.frames", frames),
    COUNTER("memory.core", pool_bytes),
    COUNTER("memory.holes.read", holes_read),
    COUNTER("memory.holes.written", holes_written),
    COUNTER("hypercalls", hypercalls),
    COUNTER("events.sent", events_sent),
    COUNTER("events.upcalls", upcalls),
    COUNTER("interrupts", interrupts),
    COUNTER("grants.mapped", grants_mapped),
    COUNTER("grants.maps", grant_maps),
    COUNTER("grants.copies", grant_copies),
    COUNTER("exits", exits),
    EXITS("other", BULKHEAD_EXIT_OTHER),
    EXITS("interrupt", BULKHEAD_EXIT_INTERRUPT),
    EXITS("hypercall", BULKHEAD_EXIT_HYPERCALL),
    EXITS("hlt", BULKHEAD_EXIT_HLT),
    EXITS("cpuid", BULKHEAD_EXIT_CPUID),
    EXITS("msr", BULKHEAD_EXIT_MSR),
    EXITS("io", BULKHEAD_EXIT_IO),
    EXITS("cr", BULKHEAD_EXIT_CR),
    EXITS("window", BULKHEAD_EXIT_WINDOW),
    EXITS("lapic", BULKHEAD_EXIT_LAPIC),
    EXITS("pci", BULKHEAD_EXIT_PCI),
    EXITS("hole", BULKHEAD_EXIT_HOLE),
};
#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t value_of(const struct bulkhead_domain_stats *stats, const struct counter *counter)
{
    uint64_t v;

    memcpy(&v, (const char *)stats + counter->offset, sizeof(v));
    return v;
}

static void print_stats(const struct entry *e, const struct bulkhead_domain_stats *stats)
{
    cli_print("Domain: '%s'\n", e->config->name);
    for (unsigned i = 0; i < COUNTERS; i++)
        cli_print("  %s=%llu\n", counters[i].name,
                  (unsigned long long)value_of(stats, &counters[i]));
    cli_print("\n");
}

static void write_stats(const struct entry *e, const struct bulkhead_domain_stats *stats,
                        struct json *json)
{
    json_object_open(json, NULL);
    json_string(json, "name", e->config->name);
    json_number(json, "id", e->domid);
    for (unsigned i = 0; i < COUNTERS; i++)
        json_number(json, counters[i].name, value_of(stats, &counters[i]));
    json_object_close(json);
}

static int show(const struct entry *e, struct json *json)
{
    struct bulkhead_domain_stats stats = {.domid = e->domid};
    int rc = hcall_domain_stats(&stats);

    if (rc < 0)
        return cli_error("%s: the core refused: %s", e->config->name, strerror(-rc));
    if (json)
        write_stats(e, &stats, json);
    else
        print_stats(e, &stats);
    return 0;
}

int verb_domstats(struct cli *cli, int argc, char **argv)
{
    bool as_json = cli_flag(&argc, argv, "--json");
    const struct entry *only = NULL;
    struct json json;

    if (argc > 2)
        return cli_usage("domstats", "too many words");
    if (argc == 2) {
        only = cli_domain(cli, argv[1]);
        if (!only)
            return -1;
        if (only->domid == DOMID_INVALID)
            return cli_error("domain %s is not running: it is %s", only->config->name,
                             cli_state(only));
    }
    if (as_json) {
        json_init(&json);
        json_array_open(&json, NULL);
    }
    for (size_t i = 0; i < cli->supervise->count; i++) {
        const struct entry *e = cli->supervise->entries[i];

        if (e->domid != DOMID_INVALID && (!only || e == only))
            (void)show(e, as_json ? &json : NULL);
    }
    if (!as_json)
        return 0;
    json_array_close(&json);
    return cli_print_json(&json);
}
