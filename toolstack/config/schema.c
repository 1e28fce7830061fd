/* Validates a tree by one of the RELAX NG schemas, which live in memory only as long as that takes.
 */
#include "schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/relaxng.h>

struct complaint {
    char text[200];
    unsigned line;
};

static void on_error(void *context, xmlErrorPtr error)
{
    struct complaint *complaint = context;
    const xmlNode *node = error->node;
    const char *message = error->message ? error->message : "";

    if (complaint->text[0])
        return;
    (void)snprintf(complaint->text, sizeof(complaint->text), "%.*s", (int)strcspn(message, "\n"),
                   message);
    if (error->line > 0)
        complaint->line = (unsigned)error->line;
    if (node && node->type == XML_ELEMENT_NODE)
        complaint->line = source_line(NULL, node);
}

int schema_open(struct schema *schema, enum schema_kind kind)
{
    const char *text = (const char *)(kind == SCHEMA_HOST ? schema_host : schema_domain);
    unsigned int len = kind == SCHEMA_HOST ? schema_host_len : schema_domain_len;
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewMemParserCtxt(text, (int)len);

    schema->grammar = parser ? xmlRelaxNGParse(parser) : NULL;
    if (parser)
        xmlRelaxNGFreeParserCtxt(parser);
    return schema->grammar ? 0 : -ENOMEM;
}

void schema_close(struct schema *schema)
{
    xmlRelaxNGFree(schema->grammar);
    schema->grammar = NULL;
}

int schema_check(const struct schema *schema, const struct source *source, struct diagnostics *list)
{
    struct complaint complaint = {.line = 1};
    xmlRelaxNGValidCtxtPtr validator = xmlRelaxNGNewValidCtxt(schema->grammar);
    int ret;

    if (!validator)
        return -ENOMEM;
    xmlRelaxNGSetValidStructuredErrors(validator, on_error, &complaint);
    ret = xmlRelaxNGValidateDoc(validator, source->doc) == 0 ? 0 : -EINVAL;
    if (ret < 0)
        diagnostics_add(list, source->file, complaint.line,
                        "not what the schema allows, %s: correct that element", complaint.text);
    xmlRelaxNGFreeValidCtxt(validator);
    return ret;
}
