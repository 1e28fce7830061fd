/* Reads host.xml: which domains the host has, and what is asked of its hardware. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elements.h"
#include "host.h"
#include "value.h"

static struct host_config *host_of(struct walk *walk)
{
    return walk->out;
}

int host_begin_domain(struct walk *walk)
{
    struct host_config *host = host_of(walk);
    struct host_domain *domains =
        realloc(host->domains, (host->domain_count + 1) * sizeof(*domains));

    if (!domains)
        return -ENOMEM;
    host->domains = domains;
    domains[host->domain_count++] = (struct host_domain){.autostart = true, .line = walk->line};
    return 0;
}

int host_set_file(struct walk *walk, const char *text)
{
    struct host_config *host = host_of(walk);
    struct host_domain *domain = &host->domains[host->domain_count - 1];

    for (size_t i = 0; i + 1 < host->domain_count; i++) {
        if (host->domains[i].file && strcmp(host->domains[i].file, text) == 0)
            walk_refuse(walk, walk->line, "file '%.120s' is named at line %u already: remove one",
                        text, host->domains[i].line);
    }
    if (value_path_climbs(text))
        walk_refuse(walk, walk->line, "path '%.120s' has a '.' or '..' in it: write it without",
                    text);
    domain->line = walk->line;
    domain->file = strdup(text);
    return domain->file ? 0 : -ENOMEM;
}

int host_set_autostart(struct walk *walk, const char *text)
{
    struct host_config *host = host_of(walk);

    host->domains[host->domain_count - 1].autostart = text[0] == 'y';
    return 0;
}

int host_begin_iommu(struct walk *walk)
{
    host_of(walk)->iommu_line = walk->line;
    return 0;
}

int host_set_required(struct walk *walk, const char *text)
{
    host_of(walk)->iommu_required = text[0] == 'y';
    return 0;
}

int host_begin_faults(struct walk *walk)
{
    host_of(walk)->faults_line = walk->line;
    return 0;
}

int host_set_allowed(struct walk *walk, const char *text)
{
    host_of(walk)->faults_allowed = text[0] == 'y';
    return 0;
}

int host_read(const struct source *source, struct host_config **out, struct diagnostics *list,
              struct domain_verdict *verdict)
{
    struct host_config *host = calloc(1, sizeof(*host));
    struct walk walk = {.grammar = &elements_host, .source = source, .list = list, .out = host};
    size_t first = list->count;
    int ret = -ENOMEM;

    *verdict = (struct domain_verdict){0};
    if (!host)
        return -ENOMEM;
    host->iommu_required = true;
    ret = walk_run(&walk);
    verdict->wrong = walk.wrong;
    verdict->refused = walk.refused;
    verdict->seen = walk.seen;
    if (ret == 0 && (walk.wrong || walk.refused))
        ret = -EINVAL;
    diagnostics_sort(list, first);
    if (ret < 0) {
        config_host_free(host);
        return ret;
    }
    *out = host;
    return 0;
}

static int check_schema(const struct source *source, struct diagnostics *list)
{
    struct schema schema;
    int ret = schema_open(&schema, SCHEMA_HOST);

    if (ret == 0)
        ret = schema_check(&schema, source, list);
    schema_close(&schema);
    return ret;
}

int config_host_load(const struct config_root *root, struct host_config **out,
                     struct diagnostics *list)
{
    struct domain_verdict verdict;
    struct source source;
    int ret = source_load(root, "host.xml", &source, list);

    if (ret == -ENOENT)
        diagnostics_add(list, "host.xml", 1,
                        "there is no such file: write "
                        "<host><domain file='/x.xml'/></host> into it");
    if (ret < 0)
        return ret;
    ret = host_read(&source, out, list, &verdict);
    if (ret == 0) {
        ret = check_schema(&source, list);
        if (ret < 0)
            config_host_free(*out);
    }
    source_free(&source);
    return ret;
}

void config_host_free(struct host_config *host)
{
    if (!host)
        return;
    for (size_t i = 0; i < host->domain_count; i++)
        free(host->domains[i].file);
    free(host->domains);
    free(host);
}
