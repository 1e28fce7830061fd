/* One XML file in memory: parsed, with the line of every element and attribute. */
#ifndef SOURCE_H
#define SOURCE_H

#include <libxml/tree.h>

#include "config.h"

/* A domain's description has a few dozen elements; these bound what a hostile file can cost. */
#define SOURCE_BYTES_MAX 65536
#define SOURCE_DEPTH_MAX 16
#define SOURCE_NODES_MAX 4096 /* elements and attributes */

struct source_place {
    size_t offset; /* of '<' */
    unsigned line;
};

struct source {
    const char *file; /* as messages name it */
    char *text;
    size_t len;
    xmlDocPtr doc;
    struct source_place *places; /* of all elements, in the order of the file */
    size_t place_count;
};

/* The path on this machine of an absolute path in an XML file; negative if it is too long. */
int source_path(const struct config_root *root, const char *path, char *buffer, size_t len);

/* True if the file can be opened. */
bool source_exists(const struct config_root *root, const char *path);

/*
 * -ENOENT without a message if there is no such file: the caller knows which
 * line names it. -EINVAL with a message if it cannot be read as XML.
 */
int source_load(const struct config_root *root, const char *file, struct source *out,
                struct diagnostics *list);

/* The same from memory; `text` may go afterwards, `file` may not. */
int source_parse(const char *file, const char *text, size_t len, struct source *out,
                 struct diagnostics *list);

unsigned source_line(const struct source *source, const xmlNode *node);
unsigned source_attribute_line(const struct source *source, const xmlAttr *attribute);

void source_free(struct source *source);

#endif
