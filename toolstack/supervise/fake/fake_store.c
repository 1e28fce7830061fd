/* The client's functions of the pretend store: a list of paths with values. */
#include "fake_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 512

static struct {
    char path[128];
    char value[128];
} nodes[NODES];

void fake_nodes_reset(void)
{
    memset(nodes, 0, sizeof(nodes));
}

static int find(const char *path)
{
    for (int i = 0; i < NODES; i++)
        if (strcmp(nodes[i].path, path) == 0)
            return i;
    return -1;
}

/* What is only noted for a next life stops nobody, so writing it never fails. */
static bool is_note(const char *path)
{
    return strncmp(path, "/bulkhead/", 10) == 0;
}

unsigned fake_node_count(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < NODES; i++)
        count += nodes[i].path[0] != 0 && !is_note(nodes[i].path);
    return count;
}

const char *fake_node(const char *path)
{
    int i = find(path);

    return i < 0 ? NULL : nodes[i].value;
}

void fake_node_set(const char *path, const char *value)
{
    int i = find(path);

    if (i < 0)
        i = find("");
    if (i < 0)
        abort();
    (void)snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
    (void)snprintf(nodes[i].value, sizeof(nodes[i].value), "%s", value);
}

#define PATH(path, format)                                                                         \
    char path[256];                                                                                \
    va_list args;                                                                                  \
    va_start(args, format);                                                                        \
    (void)vsnprintf(path, sizeof(path), format, args);                                             \
    va_end(args)

int store_read(struct store_client *c, uint32_t tx, char *value, size_t size, const char *format,
               ...)
{
    PATH(path, format);
    const char *v = fake_node(path);

    (void)c, (void)tx;
    if (!v)
        return -ENOENT;
    return snprintf(value, size, "%s", v);
}

int store_read_number(struct store_client *c, uint32_t tx, uint64_t *value, const char *format, ...)
{
    PATH(path, format);
    const char *v = fake_node(path);
    char *end;

    (void)c, (void)tx;
    if (!v)
        return -ENOENT;
    *value = strtoull(v, &end, 10);
    return *v == 0 || *end != 0 ? -EINVAL : 0;
}

int store_exists(struct store_client *c, uint32_t tx, const char *format, ...)
{
    PATH(path, format);

    (void)c, (void)tx;
    return fake_node(path) != NULL;
}

int store_write(struct store_client *c, uint32_t tx, const char *value, const char *format, ...)
{
    PATH(path, format);

    (void)c, (void)tx;
    if (!is_note(path) && fake_step() != 0)
        return -EIO;
    fake_node_set(path, value);
    return 0;
}

int store_write_number(struct store_client *c, uint32_t tx, uint64_t value, const char *format, ...)
{
    PATH(path, format);

    return store_write(c, tx, "", "%s", path) < 0
               ? -EIO
               : (snprintf(nodes[find(path)].value, sizeof(nodes[0].value), "%llu",
                           (unsigned long long)value),
                  0);
}

int store_mkdir(struct store_client *c, uint32_t tx, const char *format, ...)
{
    PATH(path, format);

    return store_write(c, tx, "", "%s", path);
}

int store_write_all(struct store_client *c, uint32_t tx, const struct store_pair *pairs,
                    size_t count, const char *format, ...)
{
    PATH(path, format);
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = store_write(c, tx, pairs[i].value, "%s/%s", path, pairs[i].path);
    return rc;
}

int store_set_perms(struct store_client *c, uint32_t tx, const struct store_perm *perms,
                    size_t count, const char *format, ...)
{
    PATH(path, format);

    (void)c, (void)tx, (void)perms, (void)count;
    return fake_step() != 0 ? -EIO : fake_node(path) ? 0 : -ENOENT;
}

int store_remove(struct store_client *c, uint32_t tx, const char *format, ...)
{
    PATH(path, format);
    size_t len = strlen(path);

    (void)c, (void)tx;
    for (unsigned i = 0; i < NODES; i++)
        if (strncmp(nodes[i].path, path, len) == 0 &&
            (nodes[i].path[len] == 0 || nodes[i].path[len] == '/'))
            nodes[i].path[0] = 0;
    return 0;
}

int store_list(struct store_client *c, uint32_t tx, char *names, size_t size, const char *format,
               ...)
{
    PATH(path, format);
    size_t len = strlen(path);
    size_t used = 0;
    int count = 0;

    (void)c, (void)tx;
    for (unsigned i = 0; i < NODES; i++)
        if (strncmp(nodes[i].path, path, len) == 0 && nodes[i].path[len] == '/' &&
            !strchr(nodes[i].path + len + 1, '/')) {
            used += (size_t)snprintf(names + used, size - used, "%s", nodes[i].path + len + 1) + 1;
            count++;
        }
    return count;
}

int store_watch(struct store_client *c, const char *token, const char *format, ...)
{
    (void)c, (void)token, (void)format;
    return 0;
}

int store_unwatch(struct store_client *c, const char *token, const char *format, ...)
{
    (void)c, (void)token, (void)format;
    return 0;
}

int store_transaction(struct store_client *c,
                      int (*body)(struct store_client *c, uint32_t tx, void *context),
                      void *context)
{
    return body(c, 1, context);
}

int store_introduce(struct store_client *c, domid_t domid, uint64_t gfn, evtchn_port_t port,
                    bool serves)
{
    (void)c, (void)gfn, (void)port;
    if (fake_step() != 0)
        return -EIO;
    fake_domains[domid].introduced = true;
    fake_domains[domid].serves = serves;
    return 0;
}

int store_release(struct store_client *c, domid_t domid)
{
    (void)c;
    fake_domains[domid].introduced = false;
    return 0;
}
