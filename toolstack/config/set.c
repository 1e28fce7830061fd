/* Reads a whole host: host.xml and every domain that it names. */
#include <errno.h>
#include <stdlib.h>

#include "domain.h"

static int load_domain(const struct config_root *root, const struct host_domain *named,
                       const struct schema *schema, struct config_set *set,
                       struct diagnostics *list)
{
    struct domain_config *domain = NULL;
    int ret = domain_load(root, named->file, schema, &domain, list);

    if (ret == 0) {
        domain->autostart = named->autostart;
        set->domains[set->count++] = domain;
        return 0;
    }
    if (ret == -ENOENT)
        diagnostics_add(list, "host.xml", named->line,
                        "no file '%s': put it there or remove "
                        "this <domain>",
                        named->file);
    set->complete = false;
    return ret == -ENOMEM ? ret : 0;
}

static int load_domains(const struct config_root *root, struct config_set *out,
                        struct diagnostics *list)
{
    struct schema schema;
    int ret = schema_open(&schema, SCHEMA_DOMAIN);

    for (size_t i = 0; i < out->host->domain_count && ret == 0; i++)
        ret = load_domain(root, &out->host->domains[i], &schema, out, list);
    schema_close(&schema);
    return ret;
}

int config_set_load(const struct config_root *root, struct config_set *out,
                    struct diagnostics *list)
{
    int ret;

    *out = (struct config_set){.complete = true};
    ret = config_host_load(root, &out->host, list);
    if (ret < 0)
        return ret;
    out->domains = calloc(out->host->domain_count + 1, sizeof(struct domain_config *));
    ret = out->domains ? load_domains(root, out, list) : -ENOMEM;
    if (ret < 0)
        config_set_free(out);
    return ret;
}

void config_set_free(struct config_set *set)
{
    for (size_t i = 0; set->domains && i < set->count; i++)
        config_domain_free(set->domains[i]);
    free(set->domains);
    config_host_free(set->host);
    *set = (struct config_set){0};
}
