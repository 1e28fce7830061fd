/* Reads what the host shall be, and asks for the start of what is fit to start. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <build/functions.h>
#include <hcall.h>

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
        limits.memory_bytes = host.free_bytes;
    refused = config_check_set(set.domains, set.count, &limits, &list);
    refuse_service_names(cli->supervise, &list);
    print_all(&list);
    return refused >= 0;
}

static bool add_all(struct cli *cli)
{
    struct supervise *s = cli->supervise;
    struct domain_config **order;
    size_t count;

    for (size_t i = 0; i < set.count; i++)
        if (!supervise_add(s, set.domains[i]))
            return false;
    order = calloc(set.count + 1, sizeof(struct domain_config *));
    if (!order)
        return false;
    count = config_order(set.domains, set.count, order);
    for (size_t i = 0; i < count; i++)
        supervise_start(s, supervise_of_config(s, order[i]));
    free(order);
    return true;
}

bool host_start(struct cli *cli)
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
    if (!check(cli) || !add_all(cli)) {
        supervise_say("not enough memory for the control domain: give it more by control_memory=");
        return false;
    }
    cli->supervise->lost = count_lost();
    if (cli->supervise->lost > 0)
        cli->supervise->failed = true;
    return true;
}
