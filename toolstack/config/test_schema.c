/*
 * The tables and the RELAX NG schemas allow the same: shown on all cases and
 * on every small change to the good ones. And what we accept, libvirt's own
 * schema accepts.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "check.h"

#define LIBVIRT   "/usr/share/libvirt/schemas/domain.rng"
#define STEPS_MAX 100000

static struct schema domain_schema;
static struct schema host_schema;
static struct schema libvirt;
static unsigned agreed_good;
static unsigned agreed_bad;

static void open_schemas(void)
{
    if (domain_schema.grammar)
        return;
    EXPECT(schema_open(&domain_schema, SCHEMA_DOMAIN) == 0);
    EXPECT(schema_open(&host_schema, SCHEMA_HOST) == 0);
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(LIBVIRT);

    libvirt.grammar = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    EXPECT(libvirt.grammar || !"Debian's package libvirt0 has the schema");
}

static bool allows(const struct schema *schema, const struct source *source)
{
    struct diagnostics list = {0};
    int ret = schema_check(schema, source, &list);

    EXPECT(ret == 0 || ret == -EINVAL);
    diagnostics_free(&list);
    return ret == 0;
}

static int read_tree(bool is_host, const struct source *source, struct domain_verdict *verdict)
{
    struct diagnostics list = {0};
    struct domain_config *domain = NULL;
    struct host_config *host = NULL;
    int ret = is_host ? host_read(source, &host, &list, verdict)
                      : domain_read(source, &domain, &list, verdict);

    config_domain_free(domain);
    config_host_free(host);
    diagnostics_free(&list);
    return ret;
}

static void compare(const char *name, const char *text, size_t len)
{
    bool is_host = strncmp(name, "host.", 5) == 0 || strncmp(name, "host-", 5) == 0;
    struct domain_verdict verdict;
    struct diagnostics list = {0};
    struct source source;

    if (source_parse("/x.xml", text, len, &source, &list) == 0) {
        int ret = read_tree(is_host, &source, &verdict);
        bool allowed = allows(is_host ? &host_schema : &domain_schema, &source);

        agreed_good += allowed;
        agreed_bad += !allowed;
        if (allowed != (verdict.wrong == 0)) {
            printf("# %s: the schema %s, the table says %u\n# %.*s\n", name,
                   allowed ? "allows" : "refuses", verdict.wrong, (int)len, text);
            EXPECT(!"the same");
        }
        if (ret == 0 && !is_host && !allows(&libvirt, &source)) {
            printf("# %s: libvirt refuses\n# %.*s\n", name, (int)len, text);
            EXPECT(!"a subset");
        }
        source_free(&source);
    }
    diagnostics_free(&list);
}

static const char *const junk[] = {"",        " ",
                                   "0",       "1",
                                   "2",       "9",
                                   "08",      "010",
                                   "0x",      "-1",
                                   "1 ",      "xen",
                                   "yes",     "no",
                                   "/a",      "/",
                                   "a",       "a/",
                                   "\n",      "Xen",
                                   "/a/b",    "/dev/a",
                                   "xvdab",   "\xc3\xa4",
                                   "67",      "68",
                                   "4094",    "4095",
                                   "65535",   "65536",
                                   "IP",      "::1",
                                   "1.2.3.4", "02:00:00:00:00:01"};
#define JUNK (sizeof(junk) / sizeof(*junk))

static const xmlChar *xml(const char *text)
{
    return (const xmlChar *)text;
}

static void change_attributes(xmlNodePtr node, unsigned *step, unsigned want)
{
    for (xmlAttrPtr a = node->properties; a; a = a->next) {
        for (size_t i = 0; i < JUNK; i++) {
            if ((*step)++ == want)
                xmlNodeSetContent((xmlNodePtr)a, xml(junk[i]));
        }
        if ((*step)++ == want)
            xmlNodeSetName((xmlNodePtr)a, xml("zzz"));
        if ((*step)++ == want) {
            (void)xmlRemoveProp(a);
            return;
        }
    }
}

/* The want-th of all small changes around an element; counts on in `step`. */
static void change(xmlNodePtr node, unsigned *step, unsigned want)
{
    change_attributes(node, step, want);
    for (size_t i = 0; i < JUNK; i++) {
        if ((*step)++ == want)
            xmlNodeSetContent(node, xml(junk[i]));
    }
    if ((*step)++ == want)
        xmlNodeSetName(node, xml("zzz"));
    if ((*step)++ == want)
        (void)xmlNewProp(node, xml("zzz"), xml("1"));
    if ((*step)++ == want)
        (void)xmlNewChild(node, NULL, xml("zzz"), NULL);
    if ((*step)++ == want)
        xmlAddChild(node, xmlNewText(xml("zzz")));
    if ((*step)++ == want)
        xmlAddChild(node, xmlNewText(xml(" \n")));
    if ((*step)++ == want)
        xmlSetNs(node, xmlNewNs(node, xml("urn:bulkhead:1"), xml("q")));
    if (!node->parent || node->parent->type != XML_ELEMENT_NODE)
        return;
    if ((*step)++ == want)
        xmlAddNextSibling(node, xmlCopyNode(node, 1));
    if ((*step)++ == want)
        xmlAddChild(node->parent->parent, xmlCopyNode(node, 1));
    xmlNodePtr first = xmlFirstElementChild(node->parent);

    if ((*step)++ == want && first != node)
        xmlAddPrevSibling(first, node);
    if ((*step)++ == want) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

/* The same over all elements below; true if the change was done. */
static bool change_tree(xmlNodePtr node, unsigned *step, unsigned want)
{
    for (xmlNodePtr child = xmlFirstElementChild(node); child;) {
        xmlNodePtr next = xmlNextElementSibling(child);

        if (change_tree(child, step, want))
            return true;
        child = next;
    }
    change(node, step, want);
    return *step > want;
}

static bool compare_changed(const char *name, const char *text, size_t len, unsigned want)
{
    xmlDocPtr doc = xmlReadMemory(text, (int)len, NULL, NULL, XML_PARSE_NONET);
    unsigned step = 0;
    bool changed = doc && change_tree(xmlDocGetRootElement(doc), &step, want);
    xmlChar *out = NULL;
    int out_len = 0;

    if (changed) {
        xmlDocDumpMemory(doc, &out, &out_len);
        if (out)
            compare(name, (const char *)out, (size_t)out_len);
        xmlFree(out);
    }
    xmlFreeDoc(doc);
    return changed;
}

static char *read_case(const char *name, size_t *len)
{
    static char text[70000];
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", CASES, name);
    FILE *f = fopen(path, "rb");

    *len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f)
        (void)fclose(f);
    return text;
}

TEST(all_cases)
{
    DIR *dir = opendir(CASES);
    struct dirent *entry;

    open_schemas();
    while (dir && (entry = readdir(dir)) != NULL) {
        const char *end = strrchr(entry->d_name, '.');
        size_t len;

        if (!end || strcmp(end, ".xml") != 0)
            continue;
        const char *text = read_case(entry->d_name, &len);

        compare(entry->d_name, text, len);
    }
    if (dir)
        (void)closedir(dir);
    EXPECT(agreed_good > 10 && agreed_bad > 80);
}

TEST(every_small_change)
{
    static const char *const names[] = {"good-debian.xml", "good-block.xml", "good-rights.xml",
                                        "good-lines.xml",  "good-net.xml",   "host.good-full.xml"};

    open_schemas();
    agreed_good = agreed_bad = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        size_t len;
        const char *text = read_case(names[i], &len);

        for (unsigned want = 0; want < STEPS_MAX; want++) {
            if (!compare_changed(names[i], text, len, want))
                break;
        }
    }
    printf("# %u allowed, %u refused by both\n", agreed_good, agreed_bad);
    EXPECT(agreed_good > 200 && agreed_bad > 2000);
}
