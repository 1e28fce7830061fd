/* Goes through an XML tree by a table and says what is wrong with it, and what to write instead. */
#include "walk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlregexp.h>

_Static_assert(WALK_ROWS_MAX <= 64, "walk.seen has a bit for each row");

#define SPACES " \t\r\n"

static const char *text_of(const xmlChar *text)
{
    return text ? (const char *)text : "";
}

static const xmlChar *xml_text(const char *text)
{
    return (const xmlChar *)text;
}

static void complain(struct walk *walk, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct walk *walk, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diagnostics_vadd(walk->list, walk->source->file, line, format, args);
    va_end(args);
    walk->wrong++;
}

void walk_refuse(struct walk *walk, unsigned line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diagnostics_vadd(walk->list, walk->source->file, line, format, args);
    va_end(args);
    walk->refused++;
}

bool walk_matches(const char *pattern, const char *text)
{
    xmlRegexpPtr regexp = xmlRegexpCompile(xml_text(pattern));
    int ret = regexp ? xmlRegexpExec(regexp, xml_text(text)) : -1;

    xmlRegFreeRegexp(regexp);
    return ret == 1;
}

static const char *hint(const struct walk *walk, const char *parent, const char *name,
                        const char *otherwise)
{
    for (const struct walk_hint *h = walk->grammar->hints; h && h->name; h++) {
        if (strcmp(h->name, name) == 0 && (!h->parent || strcmp(h->parent, parent) == 0))
            return h->write;
    }
    return otherwise;
}

static bool has_namespace(const xmlNs *ns, const char *uri)
{
    return uri ? ns && strcmp(text_of(ns->href), uri) == 0 : !ns;
}

static const char *prefix_of(const struct walk_element *row)
{
    return row->uri ? "bulkhead:" : "";
}

static bool is_row(const struct walk_element *row, const xmlNode *node)
{
    return strcmp(row->name, text_of(node->name)) == 0 && has_namespace(node->ns, row->uri);
}

/* The row of an element that stands in `parent`; 0, the root's, if there is none. */
static unsigned find_row(const struct walk *walk, unsigned parent, const xmlNode *node)
{
    for (unsigned i = 1; i < walk->grammar->count; i++) {
        if (walk->grammar->rows[i].parent == parent && is_row(&walk->grammar->rows[i], node))
            return i;
    }
    return 0;
}

/* How a value is called in a message: bus='256' of <address>, or <name>a b</name>. */
static void name_value(const struct walk_element *row, const struct walk_value *value,
                       const char *text, char *buffer, size_t len)
{
    if (value->name)
        (void)snprintf(buffer, len, "%s='%.80s' of <%s%s>", value->name, text, prefix_of(row),
                       row->name);
    else
        (void)snprintf(buffer, len, "<%s>%.80s</%s>", row->name, text, row->name);
}

static int read_value(struct walk *walk, const struct walk_element *row,
                      const struct walk_value *value, const char *text)
{
    char what[200];

    name_value(row, value, text, what, sizeof(what));
    if (value->pattern && !walk_matches(value->pattern, text)) {
        complain(walk, walk->line, "%s is not supported: write %s", what, value->write);
    } else if (value->except && walk_matches(value->except, text)) {
        complain(walk, walk->line, "%s is not allowed: %s", what, value->why);
    } else if (value->set) {
        return value->set(walk, text);
    }
    return 0;
}

static const struct walk_value *find_value(const struct walk_element *row, const xmlAttr *attribute)
{
    if (attribute->ns)
        return NULL;
    for (size_t i = 0; i < WALK_ATTRIBUTES_MAX && row->attributes[i].name; i++) {
        if (strcmp(row->attributes[i].name, text_of(attribute->name)) == 0)
            return &row->attributes[i];
    }
    return NULL;
}

static int read_attribute(struct walk *walk, const struct walk_element *row, xmlAttrPtr attribute)
{
    const struct walk_value *value = find_value(row, attribute);
    const char *name = text_of(attribute->name);
    char key[80];
    int ret;

    walk->line = source_attribute_line(walk->source, attribute);
    if (!value) {
        (void)snprintf(key, sizeof(key), "@%s", name);
        complain(walk, walk->line, "attribute '%.80s' of <%s%s> is not supported: %s", name,
                 prefix_of(row), row->name, hint(walk, row->name, key, "remove it"));
        return 0;
    }
    xmlChar *text = xmlNodeListGetString(walk->source->doc, attribute->children, 1);

    ret = read_value(walk, row, value, text_of(text));
    xmlFree(text);
    return ret;
}

static void complain_missing(struct walk *walk, const struct walk_element *row,
                             const struct walk_value *value)
{
    size_t len = strlen(value->name);
    bool is_example = strncmp(value->write, value->name, len) == 0 && value->write[len] == '=';

    complain(walk, walk->element_line, "<%s%s> has no attribute '%s': write %s%s%s", prefix_of(row),
             row->name, value->name, is_example ? "" : value->name, is_example ? "" : "='...', ",
             value->write);
}

static int read_attributes(struct walk *walk, const struct walk_element *row, xmlNodePtr node)
{
    int ret = 0;

    for (xmlAttrPtr a = node->properties; a && ret == 0; a = a->next)
        ret = read_attribute(walk, row, a);
    for (size_t i = 0; i < WALK_ATTRIBUTES_MAX && row->attributes[i].name; i++) {
        const struct walk_value *value = &row->attributes[i];

        if (value->required && !xmlHasProp(node, xml_text(value->name)))
            complain_missing(walk, row, value);
    }
    return ret;
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* All text that stands directly in an element; comments may have cut it into pieces. */
static char *own_text(const xmlNode *node)
{
    size_t len = 0;
    char *text;

    for (const xmlNode *n = node->children; n; n = n->next)
        len += is_text(n) ? strlen(text_of(n->content)) : 0;
    text = malloc(len + 1);
    if (!text)
        return NULL;
    len = 0;
    for (const xmlNode *n = node->children; n; n = n->next) {
        if (!is_text(n))
            continue;
        size_t piece = strlen(text_of(n->content));

        memcpy(text + len, text_of(n->content), piece);
        len += piece;
    }
    text[len] = '\0';
    return text;
}

static int read_text(struct walk *walk, const struct walk_element *row, xmlNodePtr node)
{
    char *text = own_text(node);
    int ret = 0;

    if (!text)
        return -ENOMEM;
    walk->line = walk->element_line;
    if (row->has_text) {
        ret = read_value(walk, row, &row->text, text);
    } else {
        const char *start = text + strspn(text, SPACES);

        if (*start)
            complain(walk, walk->line, "text '%.*s' in <%s%s>: remove it",
                     (int)strcspn(start, SPACES), start, prefix_of(row), row->name);
    }
    free(text);
    return ret;
}

/* An element that has a row, but in another place, is better told so. */
static void complain_unknown(struct walk *walk, const struct walk_element *parent,
                             const xmlNode *node, unsigned line)
{
    const struct walk_grammar *grammar = walk->grammar;
    const char *name = text_of(node->name);
    const char *otherwise = node->ns ? "remove it and its namespace" : "remove it";
    char place[120];

    for (unsigned i = 1; i < grammar->count; i++) {
        if (is_row(&grammar->rows[i], node) && i != WALK_ROOT) {
            (void)snprintf(place, sizeof(place), "it belongs into <%s>",
                           grammar->rows[grammar->rows[i].parent].name);
            otherwise = place;
            break;
        }
    }
    complain(walk, line, "<%.80s> in <%s%s> is not supported: %s", name, prefix_of(parent),
             parent->name, hint(walk, parent->name, name, otherwise));
}

static bool is_single(const struct walk_element *row)
{
    return row->count == WALK_OPTIONAL || row->count == WALK_REQUIRED;
}

static bool is_required(const struct walk_element *row)
{
    return row->count == WALK_REQUIRED || row->count == WALK_SOME;
}

static int walk_element(struct walk *walk, xmlNodePtr node, unsigned index);

static int walk_children(struct walk *walk, xmlNodePtr node, unsigned index)
{
    const struct walk_element *rows = walk->grammar->rows;
    uint64_t seen = 0;
    int ret = 0;

    for (xmlNodePtr n = xmlFirstElementChild(node); n && ret == 0; n = xmlNextElementSibling(n)) {
        unsigned line = source_line(walk->source, n);
        unsigned child = find_row(walk, index, n);
        uint64_t bit = 1ull << child;

        if (child == 0) {
            complain_unknown(walk, &rows[index], n, line);
            continue;
        }
        if (is_single(&rows[child]) && (seen & bit)) {
            complain(walk, line, "a second <%s> in <%s>: remove one of them", rows[child].name,
                     rows[index].name);
            continue;
        }
        if (rows[child].first && seen)
            complain(walk, line, "<%s> comes after others: make it the first in <%s>",
                     rows[child].name, rows[index].name);
        seen |= bit;
        ret = walk_element(walk, n, child);
    }
    for (unsigned i = 1; i < walk->grammar->count; i++) {
        if (rows[i].parent == index && is_required(&rows[i]) && !(seen & 1ull << i))
            complain(walk, source_line(walk->source, node), "<%s%s> has no <%s>: write %s",
                     prefix_of(&rows[index]), rows[index].name, rows[i].name, rows[i].write);
    }
    return ret;
}

static int walk_element(struct walk *walk, xmlNodePtr node, unsigned index)
{
    const struct walk_element *row = &walk->grammar->rows[index];
    int ret = 0;

    walk->seen |= 1ull << index;
    walk->element_line = walk->line = source_line(walk->source, node);
    if (row->begin)
        ret = row->begin(walk);
    if (ret == 0)
        ret = read_attributes(walk, row, node);
    if (ret == 0)
        ret = read_text(walk, row, node);
    if (ret == 0)
        ret = walk_children(walk, node, index);
    return ret;
}

int walk_run(struct walk *walk)
{
    xmlNodePtr root = xmlDocGetRootElement(walk->source->doc);
    const struct walk_element *row = &walk->grammar->rows[WALK_ROOT];

    if (root && is_row(row, root))
        return walk_element(walk, root, WALK_ROOT);
    complain(walk, root ? source_line(walk->source, root) : 1,
             "<%.80s>%s%.80s is not expected: write %s", root ? text_of(root->name) : "",
             root && root->ns ? " of namespace " : "",
             root && root->ns ? text_of(root->ns->href) : "", row->write);
    return 0;
}
