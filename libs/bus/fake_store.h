/* A store for host tests of back ends: a table, and the functions of the client that they use. */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus_back.h"

static struct node {
    char path[96], value[1100];
} nodes[128];
static unsigned fake_watches;

static inline void fake_store_reset(void)
{
    memset(nodes, 0, sizeof(nodes));
    fake_watches = 0;
}

static struct node *node_find(const char *path)
{
    for (size_t i = 0; i < 128; i++)
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i];
    return NULL;
}

static inline const char *node(const char *path)
{
    const struct node *n = node_find(path);

    return n ? n->value : "";
}

static void node_set(const char *path, const char *value)
{
    struct node *n = node_find(path);

    if (!n)
        n = node_find("");
    if (!n)
        abort();
    (void)snprintf(n->path, sizeof(n->path), "%s", path);
    (void)snprintf(n->value, sizeof(n->value), "%s", value);
}

static inline void node_remove(const char *below)
{
    for (size_t i = 0; i < 128; i++)
        if (strncmp(nodes[i].path, below, strlen(below)) == 0)
            nodes[i].path[0] = '\0';
}

static void path_make(char *path, const char *format, va_list args)
{
    if (vsnprintf(path, 96, format, args) >= 96)
        abort();
}

int store_read_all(struct store_client *c, uint32_t tx, struct store_want *wants, size_t count,
                   const char *base, ...)
{
    char directory[96];
    va_list args;

    (void)c;
    (void)tx;
    va_start(args, base);
    path_make(directory, base, args);
    va_end(args);
    for (size_t i = 0; i < count; i++) {
        char path[200];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, wants[i].path);
        const struct node *n = node_find(path);

        wants[i].result = !n ? -XEN_ENOENT : (int)strlen(n->value);
        if (n && strlen(n->value) >= wants[i].size)
            wants[i].result = -XEN_E2BIG;
        else if (n)
            memcpy(wants[i].value, n->value, strlen(n->value) + 1);
    }
    return 0;
}

int store_write_all(struct store_client *c, uint32_t tx, const struct store_pair *pairs,
                    size_t count, const char *base, ...)
{
    char directory[96];
    va_list args;

    (void)c;
    (void)tx;
    va_start(args, base);
    path_make(directory, base, args);
    va_end(args);
    for (size_t i = 0; i < count; i++) {
        char path[200];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, pairs[i].path);
        node_set(path, pairs[i].value);
    }
    return 0;
}

int store_write_number(struct store_client *c, uint32_t tx, uint64_t value, const char *format, ...)
{
    char path[96], text[24];
    va_list args;

    (void)c;
    (void)tx;
    va_start(args, format);
    path_make(path, format, args);
    va_end(args);
    (void)snprintf(text, sizeof(text), "%lu", value);
    node_set(path, text);
    return 0;
}

/* Children by the first node below each; names are short here. */
int store_list(struct store_client *c, uint32_t tx, char *names, size_t size, const char *format,
               ...)
{
    char directory[96], *out = names;
    int count = 0;
    va_list args;

    (void)c;
    (void)tx;
    va_start(args, format);
    path_make(directory, format, args);
    va_end(args);
    for (size_t i = 0; i < 128; i++) {
        size_t len = strlen(directory);
        const char *name = nodes[i].path + len + 1, *seen = names;
        int n = 0;

        if (strncmp(nodes[i].path, directory, len) != 0 || nodes[i].path[len] != '/')
            continue;
        len = strcspn(name, "/");
        while (n < count && (strncmp(seen, name, len) != 0 || seen[len] != '\0')) {
            seen = store_next_name(seen);
            n++;
        }
        if (n < count)
            continue;
        if ((size_t)(out - names) + len + 1 > size)
            abort();
        memcpy(out, name, len);
        out[len] = '\0';
        out += len + 1;
        count++;
    }
    return count > 0 ? count : -XEN_ENOENT;
}

int store_watch(struct store_client *c, const char *token, const char *format, ...)
{
    (void)c;
    (void)token;
    (void)format;
    fake_watches++;
    return 0;
}

int store_unwatch(struct store_client *c, const char *token, const char *format, ...)
{
    (void)c;
    (void)token;
    (void)format;
    fake_watches--;
    return 0;
}

/* A watch fires for this path, and what it asks for is done. */
static inline void fake_store_fire(struct bus_back *b, const char *path)
{
    static union {
        struct store_event event;
        char room[sizeof(struct store_event) + 128];
    } e;

    (void)snprintf(e.event.path, 128, "%s", path);
    bus_back_event(b, &e.event);
    bus_back_settle(b);
}

#endif
