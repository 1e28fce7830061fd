/*
 * Lines of elements and attributes. The parser remembers where a start tag
 * ends, and nothing of attributes; so the text is looked through once more.
 * That is simple because the text is known to be well-formed and without DTD.
 */
#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *at;
    const char *end;
    unsigned line;
};

static bool more(const struct cursor *c)
{
    return c->at < c->end;
}

static void step(struct cursor *c)
{
    if (*c->at++ == '\n')
        c->line++;
}

static bool looking_at(const struct cursor *c, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(c->end - c->at) >= len && memcmp(c->at, text, len) == 0;
}

static void skip_past(struct cursor *c, const char *text)
{
    while (more(c) && !looking_at(c, text))
        step(c);
    for (size_t i = strlen(text); i > 0 && more(c); i--)
        step(c);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_spaces(struct cursor *c)
{
    while (more(c) && is_space(*c->at))
        step(c);
}

/* A name ends where no name goes on; the text before is left as it is. */
static size_t skip_name(struct cursor *c)
{
    const char *start = c->at;

    while (more(c) && !is_space(*c->at) && !strchr("=/>", *c->at))
        step(c);
    return (size_t)(c->at - start);
}

struct attribute_place {
    const char *name;
    size_t len;
    unsigned line;
};

/* The next attribute of a start tag; false at the tag's end, which is passed. */
static bool next_attribute(struct cursor *c, struct attribute_place *out)
{
    char quote[2] = "";

    skip_spaces(c);
    if (!more(c) || *c->at == '>' || *c->at == '/') {
        skip_past(c, ">");
        return false;
    }
    out->name = c->at;
    out->line = c->line;
    out->len = skip_name(c);
    while (more(c) && *c->at != '"' && *c->at != '\'')
        step(c);
    if (!more(c))
        return false;
    quote[0] = *c->at;
    step(c);
    skip_past(c, quote);
    return true;
}

/* The next start tag, passed; false at the end of the file. */
static bool next_element(struct cursor *c, const char *text, struct source_place *out)
{
    struct attribute_place attribute;

    while (more(c)) {
        if (*c->at != '<') {
            step(c);
        } else if (looking_at(c, "<!--")) {
            skip_past(c, "<!--"); /* of <!-->, the end may not share dashes with the start */
            skip_past(c, "-->");
        } else if (looking_at(c, "<![CDATA[")) {
            skip_past(c, "]]>");
        } else if (looking_at(c, "<?")) {
            skip_past(c, "?>");
        } else if (looking_at(c, "</")) {
            skip_past(c, ">");
        } else {
            *out = (struct source_place){(size_t)(c->at - text), c->line};
            step(c);
            skip_name(c);
            while (next_attribute(c, &attribute))
                ;
            return true;
        }
    }
    return false;
}

/* The next element in the order of the file, inside `root`. */
static xmlNodePtr next_node(xmlNodePtr node, const xmlNode *root)
{
    xmlNodePtr next = xmlFirstElementChild(node);

    while (!next && node != root) {
        next = xmlNextElementSibling(node);
        node = node->parent;
    }
    return next;
}

int place_all(struct source *source, size_t count)
{
    struct cursor c = {source->text, source->text + source->len, 1};
    xmlNodePtr root = xmlDocGetRootElement(source->doc);
    xmlNodePtr node = root;

    source->places = calloc(count ? count : 1, sizeof(*source->places));
    if (!source->places)
        return -ENOMEM;
    for (; node && source->place_count < count; node = next_node(node, root)) {
        struct source_place *place = &source->places[source->place_count];

        if (!next_element(&c, source->text, place))
            break;
        node->_private = place;
        source->place_count++;
    }
    return 0;
}

unsigned source_line(const struct source *source, const xmlNode *node)
{
    const struct source_place *place = node->_private;

    (void)source;
    return place ? place->line : (unsigned)xmlGetLineNo(node);
}

static bool is_named(const struct attribute_place *place, const xmlAttr *attribute)
{
    const char *prefix =
        attribute->ns && attribute->ns->prefix ? (const char *)attribute->ns->prefix : "";
    const char *name = (const char *)attribute->name;
    size_t skip = *prefix ? strlen(prefix) + 1 : 0;

    return place->len == skip + strlen(name) && memcmp(place->name, prefix, strlen(prefix)) == 0 &&
           memcmp(place->name + skip, name, strlen(name)) == 0;
}

unsigned source_attribute_line(const struct source *source, const xmlAttr *attribute)
{
    const struct source_place *place = attribute->parent->_private;
    struct attribute_place found;

    if (!place)
        return source_line(source, attribute->parent);
    struct cursor c = {source->text + place->offset + 1, source->text + source->len, place->line};

    skip_name(&c);
    while (next_attribute(&c, &found)) {
        if (is_named(&found, attribute))
            return found.line;
    }
    return place->line;
}
