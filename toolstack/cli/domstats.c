/* domstats: what domains did since they were created, as counted by the core and by back ends. */
#include "counters.h"

#include <stdio.h>
#include <stdlib.h>
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
    COUNTER("dma.blocked", dma_blocked),
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

/* The domains that are shown, and the question for each of their devices. */
struct round {
    const struct entry *only; /* NULL: all that run */
    struct counters_ask *asks;
    size_t count;
};

static bool is_shown(const struct round *round, const struct entry *e)
{
    return e->domid != DOMID_INVALID && (!round->only || e == round->only);
}

/* Asks all back ends at once: one that is silent costs its time once. */
static int ask_all(struct cli *cli, struct round *round)
{
    const struct supervise *s = cli->supervise;
    size_t total = 0;

    for (size_t i = 0; i < s->count; i++)
        total += is_shown(round, s->entries[i]) ? config_served_count(s->entries[i]->config) : 0;
    round->asks = calloc(total + 1, sizeof(*round->asks));
    if (!round->asks)
        return cli_error("not enough memory");
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = s->entries[i];

        for (size_t n = 0; is_shown(round, e) && n < config_served_count(e->config); n++)
            round->asks[round->count++] = (struct counters_ask){.entry = e, .index = n};
    }
    if (round->count > 0)
        counters_ask(cli, round->asks, round->count);
    return 0;
}

/* One line, or one member. */
static void show_number(struct json *json, const char *name, uint64_t value)
{
    if (json)
        json_number(json, name, value);
    else
        cli_print("  %s=%llu\n", name, (unsigned long long)value);
}

static void show_text(struct json *json, const char *name, const char *value)
{
    if (json)
        json_string(json, name, value);
    else
        cli_print("  %s=%s\n", name, value);
}

static void show_device(struct json *json, const struct counters_ask *ask, const char *group,
                        unsigned number)
{
    const struct config_served *served = config_served(ask->entry->config, ask->index);
    const struct answer *c = &ask->answer;
    char device[DEVICE_NAME_MAX];
    char name[ANSWER_NAME_MAX + 24];

    (void)snprintf(name, sizeof(name), "%s.%u.name", group, number);
    show_text(json, name, counters_device_name(ask->entry, ask->index, device));
    if (ask->why[0]) {
        (void)snprintf(name, sizeof(name), "%s.%u.error", group, number);
        show_text(json, name, ask->why);
    }
    for (unsigned i = 0; i < c->count; i++) {
        (void)snprintf(name, sizeof(name), "%s.%u.%s", group, number,
                       counters_stats_name(served->class, c->values[i].name));
        show_number(json, name, c->values[i].value);
    }
}

static void show_devices(struct json *json, const struct round *round, const struct entry *e,
                         enum config_class class, const char *group)
{
    char name[24];
    unsigned count = 0;

    (void)snprintf(name, sizeof(name), "%s.count", group);
    show_number(json, name,
                class == CONFIG_DISK ? e->config->disk_count : e->config->interface_count);
    for (size_t i = 0; i < round->count; i++) {
        const struct counters_ask *ask = &round->asks[i];

        if (ask->entry == e && config_served(e->config, ask->index)->class == class)
            show_device(json, ask, group, count++);
    }
}

static void show(const struct round *round, const struct entry *e, struct json *json)
{
    struct bulkhead_domain_stats stats = {.domid = e->domid};
    int rc = hcall_domain_stats(&stats);

    if (rc < 0) {
        (void)cli_error("%s: the core refused: %s", e->config->name, strerror(-rc));
        return;
    }
    if (json) {
        json_object_open(json, NULL);
        json_string(json, "name", e->config->name);
        json_number(json, "id", e->domid);
    } else {
        cli_print("Domain: '%s'\n", e->config->name);
    }
    for (unsigned i = 0; i < COUNTERS; i++)
        show_number(json, counters[i].name, value_of(&stats, &counters[i]));
    show_devices(json, round, e, CONFIG_INTERFACE, "net");
    show_devices(json, round, e, CONFIG_DISK, "block");
    if (json)
        json_object_close(json);
    else
        cli_print("\n");
}

int verb_domstats(struct cli *cli, int argc, char **argv)
{
    bool as_json = cli_flag(&argc, argv, "--json");
    struct round round = {0};
    struct json json;

    if (argc > 2)
        return cli_usage("domstats", "too many words");
    if (argc == 2) {
        round.only = cli_domain(cli, argv[1]);
        if (!round.only)
            return -1;
        if (round.only->domid == DOMID_INVALID)
            return cli_error("domain %s is not running: it is %s", round.only->config->name,
                             cli_state(round.only));
    }
    if (ask_all(cli, &round) < 0)
        return -1;
    if (as_json) {
        json_init(&json);
        json_array_open(&json, NULL);
    }
    for (size_t i = 0; i < cli->supervise->count; i++)
        if (is_shown(&round, cli->supervise->entries[i]))
            show(&round, cli->supervise->entries[i], as_json ? &json : NULL);
    free(round.asks);
    if (!as_json)
        return 0;
    json_array_close(&json);
    return cli_print_json(&json);
}
