/* Any bytes as host.xml: read without harm, the table and the schema of one mind. */
#include "host.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct schema schema;
    struct diagnostics list = {0};
    struct diagnostics second = {0};
    struct host_config *host = NULL;
    struct domain_verdict verdict;
    struct source source;

    if (!schema.grammar && schema_open(&schema, SCHEMA_HOST) < 0)
        abort();
    if (source_parse("host.xml", (const char *)data, size, &source, &list) == 0) {
        if (host_read(&source, &host, &list, &verdict) < 0 && list.count == 0)
            abort();
        if ((schema_check(&schema, &source, &second) == 0) != (verdict.wrong == 0))
            abort();
        config_host_free(host);
        source_free(&source);
    }
    diagnostics_free(&list);
    diagnostics_free(&second);
    return 0;
}
