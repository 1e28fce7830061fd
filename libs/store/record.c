/* What a node holds: permissions, value, names of its children. */
#include <stdlib.h>
#include <string.h>

#include <store_alloc.h>

#include "server.h"

static size_t record_size(unsigned perm_count, size_t value_len, size_t children_len)
{
    return sizeof(struct record) + perm_count * sizeof(struct store_perm) + value_len +
           children_len;
}

static void put(char *to, const char *from, size_t len)
{
    if (len > 0)
        memcpy(to, from, len);
}

struct record *record_make(struct store_server *s, const struct store_perm *perms, unsigned count,
                           const char *value, size_t value_len, struct names children)
{
    size_t children_len = children.a_len + children.b_len;
    struct record *r = store_alloc(record_size(count, value_len, children_len));

    if (!r)
        return NULL;
    r->refs = 1;
    r->perm_count = count;
    r->value_len = (uint32_t)value_len;
    r->children_len = (uint32_t)children_len;
    r->generation = ++s->generation;
    memcpy(r->perms, perms, count * sizeof(*perms));
    r->value = (char *)(r->perms + count);
    put(r->value, value, value_len);
    r->children = r->value + value_len;
    put(r->children, children.a, children.a_len);
    put(r->children + children.a_len, children.b, children.b_len);
    return r;
}

struct record *record_hold(struct record *r)
{
    if (r)
        r->refs++;
    return r;
}

void record_drop(struct record *r)
{
    if (r && --r->refs == 0)
        free(r);
}

size_t record_cost(const struct record *r)
{
    return r ? record_size(r->perm_count, r->value_len, r->children_len) : 0;
}

struct names record_names_without(const struct record *r, const char *name)
{
    struct store_words words = {r->children, r->children_len};
    const char *child;

    while ((child = store_word(&words)) != NULL)
        if (strcmp(child, name) == 0)
            return (struct names){r->children, (size_t)(child - r->children), words.at, words.left};
    return (struct names){r->children, r->children_len, NULL, 0};
}

static unsigned letter_bits(char letter)
{
    switch (letter) {
    case 'r': return PERM_READ;
    case 'w': return PERM_WRITE;
    case 'b': return PERM_READ | PERM_WRITE;
    default: return 0;
    }
}

unsigned record_rights(const struct record *r, const struct store_domain *d)
{
    domid_t owner = r->perms[0].domid;

    if (d->privileged || owner == d->domid || (d->target != DOMID_INVALID && owner == d->target))
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (unsigned i = 1; i < r->perm_count; i++)
        if (r->perms[i].domid == d->domid ||
            (d->target != DOMID_INVALID && r->perms[i].domid == d->target))
            return letter_bits(r->perms[i].letter);
    return letter_bits(r->perms[0].letter);
}
