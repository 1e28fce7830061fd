/* create: starts a domain from a file. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <supervise/record.h>

static bool is_settled(void *context)
{
    const struct entry *e = context;

    return e->phase == ENTRY_LIVE || !entry_is_active(e);
}

static void print_all(struct diagnostics *list)
{
    char line[512];

    for (size_t i = 0; i < list->count; i++) {
        diagnostics_format(&list->items[i], line, sizeof(line));
        cli_error("%s", line);
    }
    diagnostics_free(list);
}

/* Checks the new domain against those that run. */
static int check(struct cli *cli, const struct entry *entry, struct diagnostics *list)
{
    const struct supervise *s = cli->supervise;
    struct config_limits limits = {.root = cli->root,
                                   .iommu_required = cli->iommu_required,
                                   .iommu_present = cli->iommu_present,
                                   .functions = &cli->functions};
    struct domain_config **configs = calloc(s->count, sizeof(struct domain_config *));
    size_t count = 0;
    size_t index = 0;
    int rc;

    if (!configs)
        return -1;
    for (size_t i = 0; i < s->count; i++) {
        if (s->entries[i] == entry)
            index = count;
        else if (!entry_is_active(s->entries[i]))
            continue;
        configs[count++] = s->entries[i]->config;
    }
    rc = config_check_one(configs, count, index, &limits, list);
    free(configs);
    return rc == 0 && list->count == 0 ? 0 : -1;
}

/* Others name their backends by pointer: they must not point to what is freed. */
static void replace_config(struct supervise *s, struct entry *entry, struct domain_config *config)
{
    struct domain_config *old = entry->config;

    for (size_t i = 0; i < s->count; i++)
        for (size_t n = 0; n < config_served_count(s->entries[i]->config); n++) {
            struct config_served *served = config_served(s->entries[i]->config, n);

            if (served->backend == old)
                served->backend = config;
        }
    entry->config = config;
    free(entry->backends);
    entry->backends = NULL;
    config_domain_free(old);
}

static struct entry *find_name(const struct supervise *s, const char *name)
{
    struct entry *e = supervise_find(s, name);

    return e && strcmp(e->config->name, name) == 0 ? e : NULL;
}

struct entry *cli_add_config(struct cli *cli, struct domain_config *config)
{
    struct entry *old = find_name(cli->supervise, config->name);

    if (!old)
        return supervise_add(cli->supervise, config);
    replace_config(cli->supervise, old, config);
    return old;
}

static int start(struct cli *cli, struct entry *entry, const char *file)
{
    record_created(cli->supervise, entry);
    supervise_start(cli->supervise, entry);
    if (!cli_wait(cli, is_settled, entry, CLI_VERB_TIME))
        return cli_error("domain %s is still being started", entry->config->name);
    /* It may have been quick and be over already. */
    if (entry->phase == ENTRY_FAILED)
        return cli_error("domain %s could not be started", entry->config->name);
    cli_print("Domain %s created from %s\n", entry->config->name, file);
    return 0;
}

int verb_create(struct cli *cli, int argc, char **argv)
{
    struct diagnostics list = {0};
    struct domain_config *config;
    struct entry *old;
    struct entry *entry;
    int rc = config_domain_load(cli->root, argv[1], &config, &list);

    (void)argc;
    if (rc != 0) {
        if (list.count == 0)
            cli_error(rc == -ENOENT ? "there is no file %s: name one that is in the bundle"
                                    : "%s cannot be read",
                      argv[1]);
        print_all(&list);
        return -1;
    }
    old = find_name(cli->supervise, config->name);
    /* It has ended, and its backends have yet to let go: they are given a second. */
    if (old && old->phase == ENTRY_CLOSING && old->next == NEXT_STOP)
        (void)cli_wait(cli, cli_is_gone, old, CLI_VERB_TIME);
    if (old && entry_is_active(old)) {
        config_domain_free(config);
        return cli_error("domain %s exists already: it is %s", old->config->name, cli_state(old));
    }
    entry = supervise_add(cli->supervise, config);
    if (!entry || check(cli, entry, &list) != 0) {
        print_all(&list);
        if (entry)
            supervise_remove(cli->supervise, entry);
        config_domain_free(config);
        return -1;
    }
    if (old) {
        supervise_remove(cli->supervise, entry);
        record_forget(cli->supervise, old);
        replace_config(cli->supervise, old, config);
        entry = old;
    }
    return start(cli, entry, argv[1]);
}
