/* Reads what the host shall be, and asks for the start of what is fit to start. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <build/functions.h>
#include <hcall.h>
#include <supervise/adopt.h>
#include <supervise/record.h>

static struct config_set set;

static void print_all(struct diagnostics *list)
{
    char line[512];

    for (size_t i = 0; i < list->count; i++) {
        diagnostics_format(&list->items[i], line, sizeof(line));
        supervise_say("%s", line);
    }
    if (list->lost)
        supervise_say("there is more wrong than is shown here");
    diagnostics_free(list);
}

/* How many of those that should start by themselves cannot. */
static unsigned count_lost(void)
{
    unsigned lost = 0;

    for (size_t i = 0; i < set.host->domain_count; i++)
        lost += set.host->domains[i].autostart;
    for (size_t i = 0; i < set.count; i++)
        if (set.domains[i]->autostart && !set.domains[i]->refused)
            lost--;
    return lost;
}

/* The services are no part of host.xml, so nothing else knows that their names are taken. */
static void refuse_service_names(const struct supervise *s, struct diagnostics *list)
{
    for (size_t i = 0; i < set.count; i++) {
        struct domain_config *c = set.domains[i];

        if (!supervise_find(s, c->name))
            continue;
        c->refused = true;
        diagnostics_add(list, c->file, c->name_line,
                        "the name '%s' is that of a domain every host has: choose another",
                        c->name);
    }
}

/* What is free, and what those have who are checked although they run. */
static uint64_t memory_for_all(const struct bulkhead_host_info *host)
{
    uint64_t bytes = host->free_bytes;
    size_t count = 0;
    struct xen_domctl_getdomaininfo *infos = adopt_list(&count);

    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < set.count; n++)
            if (memcmp(infos[i].handle, set.domains[n]->uuid, sizeof(infos[i].handle)) == 0)
                bytes += infos[i].tot_pages << PAGE_SHIFT;
    free(infos);
    return bytes;
}

static bool check(struct cli *cli)
{
    struct bulkhead_host_info host = {0};
    struct diagnostics list = {0};
    struct config_limits limits = {.root = cli->root,
                                   .iommu_required = cli->iommu_required,
                                   .iommu_present = cli->iommu_present,
                                   .functions = &cli->functions,
                                   .incomplete = !set.complete};
    int refused;

    if (functions_read(&cli->functions) < 0)
        return false;
    if (hcall_host_info(&host) >= 0)
        limits.memory_bytes = memory_for_all(&host);
    refused = config_check_set(set.domains, set.count, &limits, &list);
    refuse_service_names(cli->supervise, &list);
    print_all(&list);
    return refused >= 0;
}

static bool add_all(struct supervise *s)
{
    for (size_t i = 0; i < set.count; i++)
        if (!supervise_add(s, set.domains[i]))
            return false;
    return true;
}

/* Those that should run by themselves, and whom they need, but for those that were stopped. */
static bool start_all(struct supervise *s)
{
    struct domain_config **order;
    size_t count;

    if (s->leaving)
        return true;
    order = calloc(set.count + 1, sizeof(struct domain_config *));
    if (!order)
        return false;
    count = config_order(set.domains, set.count, order);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = supervise_of_config(s, order[i]);

        if (adopt_wants_start(s, e))
            supervise_start(s, e);
    }
    free(order);
    return true;
}

/* ---- a host that runs already -----------------------------------------------------------------
 */

/* One that was started by hand. host.xml may name its file, too. */
static void add_created(void *context, const char *file)
{
    struct cli *cli = context;
    struct supervise *s = cli->supervise;
    struct diagnostics list = {0};
    struct domain_config *config;

    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entries[i]->config->file, file) == 0)
            return;
    if (config_domain_load(cli->root, file, &config, &list) == 0)
        (void)cli_add_config(cli, config);
    print_all(&list);
}

/*
 * Names for its backends. It was checked before it was started, and what has come
 * to run since was checked against it: nothing that is found now counts.
 */
static void resolve(struct cli *cli, const struct entry *entry)
{
    const struct supervise *s = cli->supervise;
    struct config_limits limits = {.iommu_present = cli->iommu_present};
    struct domain_config **configs = calloc(s->count, sizeof(struct domain_config *));
    struct diagnostics list = {0};
    size_t index = 0;

    for (size_t i = 0; configs && i < s->count; i++) {
        configs[i] = s->entries[i]->config;
        if (s->entries[i] == entry)
            index = i;
    }
    if (configs)
        (void)config_check_one(configs, s->count, index, &limits, &list);
    diagnostics_free(&list);
    free(configs);
}

static bool is_of_set(const struct domain_config *config)
{
    for (size_t i = 0; i < set.count; i++)
        if (set.domains[i] == config)
            return true;
    return false;
}

static void find_all(struct cli *cli)
{
    struct supervise *s = cli->supervise;

    s->leaving = record_is_leaving(s);
    record_each_created(s, add_created, cli);
    for (size_t i = 0; i < s->count; i++)
        if (!s->entries[i]->service && !is_of_set(s->entries[i]->config))
            resolve(cli, s->entries[i]);
    (void)adopt_all(s);
    for (size_t i = 0; i < s->count; i++)
        if (!s->leaving && record_is_created(s, s->entries[i]) &&
            adopt_wants_start(s, s->entries[i]))
            supervise_start(s, s->entries[i]);
}

bool host_start(struct cli *cli, bool again)
{
    struct diagnostics list = {0};
    int rc = config_set_load(cli->root, &set, &list);

    if (rc == -ENOENT && list.count == 0)
        supervise_say("host.xml: there is none in the bundle: write one");
    else if (rc != 0 && list.count == 0)
        supervise_say("host.xml: it cannot be read: %s", strerror(-rc));
    print_all(&list);
    if (rc != 0)
        return false;
    if (set.host->domain_count == 0) {
        supervise_say("host.xml:1: there is no domain to run: name one by <domain file='...'/>");
        return false;
    }
    cli->iommu_required = set.host->iommu_required;
    cli->faults_line = set.host->faults_line;
    cli->supervise->faults_allowed = set.host->faults_allowed;
    if (set.host->faults_allowed)
        supervise_say("host.xml:%u: fault injection is allowed: `inject` makes domains fail",
                      cli->faults_line);
    bool good = check(cli) && add_all(cli->supervise);

    if (good && again)
        find_all(cli);
    if (!good || !start_all(cli->supervise)) {
        supervise_say("not enough memory for the control domain: give it more by control_memory=");
        return false;
    }
    cli->supervise->lost = count_lost();
    if (cli->supervise->lost > 0)
        cli->supervise->failed = true;
    return true;
}
