/* Whatever a configuration holds: as XML it is valid, also for libvirt, and reads as the same. */
#include "dumpxml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>

#include "config_json.h"
#include "domain.h"
#include "random_config.h"

#define LIBVIRT "/usr/share/libvirt/schemas/domain.rng"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *as_json(const struct domain_config *domain)
{
    struct json json;
    char *text;

    json_init(&json);
    config_json_write(&json, NULL, domain, false);
    text = json_finish(&json);
    if (!text)
        abort();
    return text;
}

static void fail(const char *what, const char *text)
{
    (void)fprintf(stderr, "%s:\n%s\n", what, text);
    abort();
}

static void check_schemas(const struct source *source, const char *text)
{
    static struct schema ours;
    static struct schema libvirt;
    struct diagnostics list = {0};

    if (!ours.grammar) {
        xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(LIBVIRT);

        libvirt.grammar = xmlRelaxNGParse(parser);
        xmlRelaxNGFreeParserCtxt(parser);
        if (schema_open(&ours, SCHEMA_DOMAIN) < 0 || !libvirt.grammar)
            fail("no schema", LIBVIRT);
    }
    if (schema_check(&ours, source, &list) < 0 || schema_check(&libvirt, source, &list) < 0)
        fail(list.count ? list.items[0].text : "refused", text);
    diagnostics_free(&list);
}

static void check_dump(const struct domain_config *domain, unsigned id)
{
    struct diagnostics list = {0};
    struct domain_config *again = NULL;
    struct domain_verdict verdict;
    struct source source;
    char *text = dumpxml_text(domain, id);

    if (!text || source_parse("/x.xml", text, strlen(text), &source, &list) < 0)
        fail("no XML", text ? text : "");
    check_schemas(&source, text);
    if (domain_read(&source, &again, &list, &verdict) < 0)
        fail(list.items[0].text, text);
    char *before = as_json(domain);
    char *after = as_json(again);

    if (strcmp(before, after) != 0)
        fail(before, after);
    free(before);
    free(after);
    config_domain_free(again);
    source_free(&source);
    diagnostics_free(&list);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct random_config random = {data, size};
    struct domain_config *domain = random_config_make(&random);

    check_dump(domain, 0);
    check_dump(domain, size ? data[0] : 0);
    config_domain_free(domain);
    return 0;
}
