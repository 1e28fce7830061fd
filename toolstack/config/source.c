/* Reads one XML file: size, nesting and count are bounded; no DTD, no entities, no network. */
#include "source.h"

#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

/* What the parser's callbacks need; hangs on the parser's _private. */
struct parse {
    const char *file;
    struct diagnostics *list;
    bool failed;
    size_t nodes;
    size_t elements;
    startElementNsSAX2Func start;
};

int source_path(const struct config_root *root, const char *path, char *buffer, size_t len)
{
    const char *prefix = root->prefix;
    size_t images = strlen(CONFIG_IMAGES);
    int used;

    if (root->images && strncmp(path, CONFIG_IMAGES, images) == 0) {
        prefix = root->images;
        path += images - 1;
    }
    used = snprintf(buffer, len, "%s%s%s", prefix, path[0] == '/' ? "" : "/", path);
    return used >= 0 && (size_t)used < len ? 0 : -ENAMETOOLONG;
}

static int open_path(const struct config_root *root, const char *path)
{
    char name[4096];
    int ret = source_path(root, path, name, sizeof(name));

    if (ret < 0)
        return ret;
    ret = open(name, O_RDONLY | O_CLOEXEC);
    return ret < 0 ? -errno : ret;
}

bool source_exists(const struct config_root *root, const char *path)
{
    int fd = open_path(root, path);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

static struct parse *parse_of(void *parser)
{
    return ((xmlParserCtxtPtr)parser)->_private;
}

static void refuse(xmlParserCtxtPtr parser, const char *what)
{
    struct parse *parse = parser->_private;

    if (!parse->failed)
        diagnostics_add(parse->list, parse->file, (unsigned)parser->input->line, "%s", what);
    parse->failed = true;
    xmlStopParser(parser);
}

static const char *advice(int code)
{
    switch (code) {
    case XML_ERR_DOCUMENT_EMPTY:
    case XML_ERR_DOCUMENT_START: return "write one element, <domain> or, in host.xml, <host>";
    case XML_ERR_TAG_NAME_MISMATCH:
    case XML_ERR_TAG_NOT_FINISHED:
    case XML_ERR_GT_REQUIRED: return "close every element that is opened";
    case XML_ERR_UNDECLARED_ENTITY: return "write the character itself";
    case XML_NS_ERR_UNDEFINED_NAMESPACE: return "declare the prefix or remove it";
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_INVALID_CHAR: return "write text in UTF-8";
    default: return "correct that place";
    }
}

static void on_error(void *context, xmlErrorPtr error)
{
    struct parse *parse = parse_of(context);
    int len = error->message ? (int)strcspn(error->message, "\n") : 0;

    if (error->level == XML_ERR_WARNING || parse->failed)
        return;
    parse->failed = true;
    if (error->code == XML_ERR_NO_MEMORY)
        parse->list->lost = true;
    else
        diagnostics_add(parse->list, parse->file, error->line > 0 ? (unsigned)error->line : 1,
                        "not well-formed, %.*s: %s", len, len ? error->message : "",
                        advice(error->code));
}

/* Entities are declared in a DTD only: without one there is nothing to expand. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    refuse(context, "a DOCTYPE is not allowed: remove it");
}

/* NOLINTNEXTLINE(readability-function-size): the signature is libxml2's */
static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int default_count, const xmlChar **attributes)
{
    xmlParserCtxtPtr parser = context;
    struct parse *parse = parser->_private;

    parse->elements++;
    parse->nodes += 1 + (size_t)attribute_count + (size_t)namespace_count;
    if (parser->nodeNr >= SOURCE_DEPTH_MAX)
        refuse(parser, "elements are nested too deeply: remove what no description has");
    else if (parse->nodes > SOURCE_NODES_MAX)
        refuse(parser, "too many elements and attributes: describe fewer things in one file");
    else
        parse->start(context, name, prefix, uri, namespace_count, namespaces, attribute_count,
                     default_count, attributes);
}

static int parse_text(struct source *source, struct parse *parse)
{
    /* The file's own claim about its encoding is not followed: all is UTF-8. */
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                        XML_PARSE_IGNORE_ENC | XML_PARSE_COMPACT;
    xmlParserCtxtPtr parser = xmlNewParserCtxt();

    if (!parser)
        return -ENOMEM;
    parser->_private = parse;
    parse->start = parser->sax->startElementNs;
    parser->sax->startElementNs = on_start;
    parser->sax->internalSubset = on_doctype;
    parser->sax->comment = NULL;
    parser->sax->processingInstruction = NULL;
    parser->sax->serror = on_error;
    source->doc = xmlCtxtReadMemory(parser, source->text, (int)source->len, NULL, "UTF-8", options);
    xmlFreeParserCtxt(parser);
    if (parse->failed)
        return -EINVAL;
    return source->doc ? 0 : -ENOMEM;
}

int source_parse(const char *file, const char *text, size_t len, struct source *out,
                 struct diagnostics *list)
{
    struct parse parse = {.file = file, .list = list};
    int ret = -ENOMEM;

    *out = (struct source){.file = file, .len = len};
    if (len == 0 || len > SOURCE_BYTES_MAX) {
        diagnostics_add(list, file, 1,
                        len ? "larger than 64 KiB: describe fewer things in one file"
                            : "empty: write one element, <domain> or, in host.xml, <host>");
        return -EINVAL;
    }
    if (memchr(text, 0, len)) {
        diagnostics_add(list, file, 1, "holds zero bytes: write text in UTF-8");
        return -EINVAL;
    }
    out->text = malloc(len);
    if (!out->text)
        goto out;
    memcpy(out->text, text, len);
    ret = parse_text(out, &parse);
    if (ret == 0)
        ret = place_all(out, parse.elements);
out:
    if (ret < 0)
        source_free(out);
    return ret;
}

/* Reads at most one byte more than a file may have; the length or an error. */
static ssize_t read_all(int fd, char *buffer, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t got = read(fd, buffer + have, len - have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

int source_load(const struct config_root *root, const char *file, struct source *out,
                struct diagnostics *list)
{
    char *buffer;
    ssize_t len;
    int fd;

    *out = (struct source){.file = file};
    fd = open_path(root, file);
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ENAMETOOLONG)
        return -ENOENT;
    buffer = malloc(SOURCE_BYTES_MAX + 1);
    len = fd < 0 ? fd : !buffer ? -ENOMEM : read_all(fd, buffer, SOURCE_BYTES_MAX + 1);
    if (fd >= 0)
        (void)close(fd);
    if (len < 0) {
        if (len != -ENOMEM)
            diagnostics_add(list, file, 1, "cannot be read (%s): make it a readable file",
                            strerror((int)-len));
        free(buffer);
        return len == -ENOMEM ? -ENOMEM : -EINVAL;
    }
    int ret = source_parse(file, buffer, (size_t)len, out, list);

    free(buffer);
    return ret;
}

void source_free(struct source *source)
{
    xmlFreeDoc(source->doc);
    free(source->places);
    free(source->text);
    *source = (struct source){.file = source->file};
}
