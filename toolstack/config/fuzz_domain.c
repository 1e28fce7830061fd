/*
 * Any bytes as a domain's file: read without harm, lines in their places, and
 * the table and the schema of one mind.
 */
#include "domain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_agreement(const struct source *source, const struct domain_verdict *verdict)
{
    static struct schema schema;
    struct diagnostics list = {0};

    if (!schema.grammar && schema_open(&schema, SCHEMA_DOMAIN) < 0)
        abort();
    if ((schema_check(&schema, source, &list) == 0) != (verdict->wrong == 0))
        abort();
    diagnostics_free(&list);
}

static void check_messages(const struct diagnostics *list, int ret)
{
    if (ret < 0 && list->count == 0 && !list->lost)
        abort();
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].line == 0 || strpbrk(list->items[i].text, "\r\n\t\x1b"))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diagnostics list = {0};
    struct domain_config *domain = NULL;
    struct domain_verdict verdict;
    struct source source;
    int ret = source_parse("/x.xml", (const char *)data, size, &source, &list);

    if (ret == 0) {
        for (size_t i = 0; i < source.place_count; i++) {
            if (source.text[source.places[i].offset] != '<')
                abort();
        }
        ret = domain_read(&source, &domain, &list, &verdict);
        check_agreement(&source, &verdict);
        config_domain_free(domain);
        source_free(&source);
    }
    check_messages(&list, ret);
    diagnostics_free(&list);
    return 0;
}
