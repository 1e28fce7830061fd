/* Nothing is forgotten: every row of the tables has its cases, its docs and its place in the
 * schema. */
#include "host.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "check.h"
#include "elements.h"

static const struct walk_grammar *const grammars[] = {&elements_domain, &elements_host};

static void complain(const char *what, const char *about)
{
    printf("# %s: %s\n", about, what);
    EXPECT(!"complete");
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 18);

    EXPECT(f && text && fread(text, 1, (1 << 18) - 1, f) > 0);
    if (f)
        (void)fclose(f);
    return text;
}

/* "devices/disk", with our prefix where it belongs; "" for the root. */
static void path_of(const struct walk_grammar *grammar, size_t row, char *path, size_t len)
{
    const struct walk_element *element = &grammar->rows[row];
    char above[200] = "";

    path[0] = '\0';
    if (row == WALK_ROOT)
        return;
    path_of(grammar, element->parent, above, sizeof(above));
    (void)snprintf(path, len, "%s%s%s%s", above, *above ? "/" : "", element->uri ? "bulkhead:" : "",
                   element->name);
}

static void expect_in_docs(const char *docs, const char *path)
{
    char row[300];

    (void)snprintf(row, sizeof(row), "\n| `%s` | ", path);
    if (!strstr(docs, row))
        complain("no row in docs/xml.md", path);
}

TEST(rows_stand_in_the_docs)
{
    char *docs = read_file(DOCS "/xml.md");

    for (size_t g = 0; g < 2; g++) {
        for (size_t i = 0; i < grammars[g]->count; i++) {
            const struct walk_element *row = &grammars[g]->rows[i];
            char path[200];
            char attribute[300];

            path_of(grammars[g], i, path, sizeof(path));
            expect_in_docs(docs, *path ? path : row->name);
            for (size_t a = 0; a < WALK_ATTRIBUTES_MAX && row->attributes[a].name; a++) {
                (void)snprintf(attribute, sizeof(attribute), "%s%s@%s", path, *path ? "/" : "",
                               row->attributes[a].name);
                expect_in_docs(docs, attribute);
            }
        }
    }
    free(docs);
}

static int is_plain(const char *pattern)
{
    for (; *pattern; pattern++) {
        if (!isalnum((unsigned char)*pattern) && !strchr("_-|", *pattern))
            return 0;
    }
    return 1;
}

/* Words are values of the schema, everything else is the same pattern there. */
static void expect_in_schema(const char *schema, const char *pattern)
{
    char text[300];
    char words[200];

    if (!is_plain(pattern)) {
        (void)snprintf(text, sizeof(text), "<param name=\"pattern\">%s</param>", pattern);
        if (!strstr(schema, text))
            complain("not in the schema", pattern);
        return;
    }
    (void)snprintf(words, sizeof(words), "%s", pattern);
    for (char *save = NULL, *word = strtok_r(words, "|", &save); word;
         word = strtok_r(NULL, "|", &save)) {
        (void)snprintf(text, sizeof(text), "<value type=\"string\">%s</value>", word);
        if (!strstr(schema, text))
            complain("not in the schema", word);
    }
}

TEST(patterns_are_those_of_the_schema)
{
    static const char *const names[] = {CASES "/../schema/domain.rng", CASES "/../schema/host.rng"};

    for (size_t g = 0; g < 2; g++) {
        char *schema = read_file(names[g]);

        for (size_t i = 0; i < grammars[g]->count; i++) {
            const struct walk_element *row = &grammars[g]->rows[i];

            if (row->has_text && row->text.pattern)
                expect_in_schema(schema, row->text.pattern);
            if (row->has_text && row->text.except)
                expect_in_schema(schema, row->text.except);
            for (size_t a = 0; a < WALK_ATTRIBUTES_MAX && row->attributes[a].name; a++)
                expect_in_schema(schema, row->attributes[a].pattern);
        }
        free(schema);
    }
}

static int is_good_case(const char *name)
{
    char path[512];
    const char *end = strrchr(name, '.');

    if (!end || strcmp(end, ".xml") != 0)
        return 0;
    (void)snprintf(path, sizeof(path), CASES "/%.*s.json", (int)(end - name), name);
    FILE *f = fopen(path, "rb");

    if (f)
        (void)fclose(f);
    return f != NULL;
}

/* Which rows of a grammar the good cases hold. */
static uint64_t rows_seen(int is_host)
{
    const struct config_root root = {CASES, NULL};
    struct diagnostics list = {0};
    uint64_t seen = 0;
    DIR *dir = opendir(CASES);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        struct domain_verdict verdict = {0};
        struct domain_config *domain = NULL;
        struct host_config *host = NULL;
        struct source source;

        if (!is_good_case(entry->d_name) || (strncmp(entry->d_name, "host", 4) == 0) != is_host ||
            source_load(&root, entry->d_name, &source, &list) != 0)
            continue;
        EXPECT((is_host ? host_read(&source, &host, &list, &verdict)
                        : domain_read(&source, &domain, &list, &verdict)) == 0);
        seen |= verdict.seen;
        config_host_free(host);
        config_domain_free(domain);
        source_free(&source);
    }
    if (dir)
        (void)closedir(dir);
    diagnostics_free(&list);
    return seen;
}

static void expect_bad_case(const char *prefix)
{
    DIR *dir = opendir(CASES);
    struct dirent *entry;
    size_t len = strlen(prefix);
    bool found = false;

    while (dir && (entry = readdir(dir)) != NULL) {
        const char *end = strrchr(entry->d_name, '.');

        found |= strncmp(entry->d_name, prefix, len) == 0 && entry->d_name[len] == '.' && end &&
                 strcmp(end, ".err") == 0;
    }
    if (dir)
        (void)closedir(dir);
    if (!found)
        complain("no bad case", prefix);
}

TEST(rows_have_cases)
{
    for (int g = 0; g < 2; g++) {
        const struct walk_grammar *grammar = grammars[g];
        uint64_t seen = rows_seen(g);

        for (size_t i = 0; i < grammar->count; i++) {
            const struct walk_element *row = &grammar->rows[i];
            char prefix[200];

            if (!(seen & 1ull << i))
                complain("no good case", row->name);
            EXPECT(row->meaning && *row->meaning);
            if (i == WALK_ROOT)
                (void)snprintf(prefix, sizeof(prefix), "%s", row->name);
            else
                (void)snprintf(prefix, sizeof(prefix), "%s-%s", grammar->rows[row->parent].name,
                               row->name);
            expect_bad_case(prefix);
        }
    }
}

/* The first element of a name, in the order of the file. */
static xmlNodePtr find_element(xmlNodePtr node, const char *name)
{
    if (strcmp((const char *)node->name, name) == 0)
        return node;
    for (xmlNodePtr child = xmlFirstElementChild(node); child;
         child = xmlNextElementSibling(child)) {
        xmlNodePtr found = find_element(child, name);

        if (found)
            return found;
    }
    return NULL;
}

static bool list_holds(const struct diagnostics *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strstr(list->items[i].text, text))
            return true;
    }
    return false;
}

/* Puts what the hint is about into a good file and looks for it in the messages. */
static bool hint_is_given(const struct walk_hint *hint, bool in_host)
{
    const char *name = in_host ? CASES "/host.good-full.xml" : CASES "/good-all.xml";
    xmlDocPtr doc = xmlReadFile(name, NULL, XML_PARSE_NONET);
    xmlNodePtr at = find_element(xmlDocGetRootElement(doc), hint->parent ? hint->parent : "domain");
    struct diagnostics list = {0};
    struct domain_verdict verdict;
    struct domain_config *domain = NULL;
    struct host_config *host = NULL;
    struct source source;
    xmlChar *text = NULL;
    int len = 0;

    if (at && hint->name[0] == '@')
        (void)xmlNewProp(at, (const xmlChar *)hint->name + 1, (const xmlChar *)"1");
    else if (at)
        (void)xmlNewChild(at, NULL, (const xmlChar *)hint->name, NULL);
    xmlDocDumpMemory(doc, &text, &len);
    EXPECT(source_parse("/x.xml", (const char *)text, (size_t)len, &source, &list) == 0);
    int ret = in_host ? host_read(&source, &host, &list, &verdict)
                      : domain_read(&source, &domain, &list, &verdict);
    bool given = ret < 0 && list_holds(&list, hint->write);

    config_domain_free(domain);
    config_host_free(host);
    source_free(&source);
    diagnostics_free(&list);
    xmlFree(text);
    xmlFreeDoc(doc);
    return given;
}

TEST(hints_are_given)
{
    for (const struct walk_hint *hint = elements_hints; hint->name; hint++) {
        if (!hint_is_given(hint, false) && !hint_is_given(hint, true))
            complain("this hint is never given", hint->name);
    }
}
