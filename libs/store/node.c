/* The requests about nodes: who may, and what it does to the node and its parents. */
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* The nearest node above (or at) a path that exists; the root always does. */
static int nearest(const struct view *v, const char *path, size_t *len, struct record **record)
{
    for (;;) {
        int error = view_find(v, path, *len, record);

        if (error != -XEN_ENOENT)
            return error;
        if (*len == 1)
            return -XEN_EIO;
        *len = store_path_parent(path, *len);
    }
}

/* Whether a node is missing is told only to those who could use the place where it would be. */
int node_get(const struct view *v, const struct store_path *path, unsigned want,
             struct record **record)
{
    int error = view_find(v, path->text, path->len, record);

    if (error == 0)
        return (record_rights(*record, v->d) & want) == want ? 0 : -XEN_EACCES;
    if (error != -XEN_ENOENT)
        return error;

    struct record *above;
    size_t len = path->len;

    error = nearest(v, path->text, &len, &above);
    if (error != 0)
        return error;
    return record_rights(above, v->d) & want ? -XEN_ENOENT : -XEN_EACCES;
}

/* An unprivileged domain's node has a size limit, in all that it holds. */
static bool is_too_big(const struct view *v, unsigned perms, size_t value_len, size_t children_len)
{
    if (children_len > CHILDREN_MAX)
        return true;
    return !v->d->privileged &&
           perms * sizeof(struct store_perm) + value_len + children_len > v->s->limits.node_bytes;
}

/* The name of the level of `path` that ends at `len`, as a list of one, and where it begins. */
static struct names one_name(const char *path, size_t len, char name[STORE_PATH_MAX + 1])
{
    const char *from = store_path_name(path, len);
    size_t count = (size_t)(path + len - from);

    memcpy(name, from, count);
    name[count] = 0;
    return (struct names){name, count + 1, NULL, 0};
}

/* Ends of the levels of a path below the one that ends at `above`; how many. */
static unsigned levels_below(const struct store_path *path, size_t above,
                             size_t ends[STORE_DEPTH_MAX])
{
    unsigned count = 0;

    for (size_t i = (above == 1 ? 1 : above + 1); i <= path->len && count < STORE_DEPTH_MAX; i++)
        if (i == path->len || path->text[i] == '/')
            ends[count++] = i;
    return count;
}

/* Changes of a creation, prepared one after the other: the node above, then each new level. */
struct creation {
    const struct view *v;
    const struct store_path *path;
    struct change changes[STORE_DEPTH_MAX + 1];
    unsigned count;
};

static int creation_add(struct creation *c, size_t len, struct record *record, enum fire fire)
{
    if (!record)
        return -XEN_ENOMEM;

    int error = view_prepare(c->v, c->path->text, len, record, fire, &c->changes[c->count]);

    if (error == 0)
        c->count++;
    return error;
}

static int creation_above(struct creation *c, const struct record *above, size_t len,
                          struct names child)
{
    struct names names = {above->children, above->children_len, child.a, child.a_len};

    if (is_too_big(c->v, above->perm_count, above->value_len, names.a_len + names.b_len))
        return -XEN_ENOSPC;
    return creation_add(c, len,
                        record_make(c->v->s, above->perms, above->perm_count, above->value,
                                    above->value_len, names),
                        FIRE_NONE);
}

/* Permissions of a new node: the parent's, but a domain owns what it makes. */
static void inherit(const struct view *v, const struct record *above,
                    struct store_perm perms[PERMS_MAX])
{
    memcpy(perms, above->perms, above->perm_count * sizeof(*perms));
    if (!v->d->privileged)
        perms[0].domid = v->d->domid;
}

static int creation_quota(const struct view *v, unsigned count)
{
    unsigned have = v->d->nodes + (v->tx ? v->tx->created : 0);

    return !v->d->privileged && have + count > v->s->limits.nodes * domain_share(v->d) ? -XEN_ENOSPC
                                                                                       : 0;
}

static int creation_fill(struct creation *c, const struct record *above, size_t above_len,
                         const char *value, size_t value_len)
{
    char name[STORE_PATH_MAX + 1];
    struct store_perm perms[PERMS_MAX];
    size_t ends[STORE_DEPTH_MAX];
    unsigned count = levels_below(c->path, above_len, ends);
    int error = count > 0 ? creation_quota(c->v, count) : -XEN_EEXIST;

    if (error == 0)
        error = creation_above(c, above, above_len, one_name(c->path->text, ends[0], name));
    inherit(c->v, above, perms);
    for (unsigned i = 0; i < count && error == 0; i++) {
        bool last = i + 1 == count;
        struct names child = {0};

        if (!last)
            child = one_name(c->path->text, ends[i + 1], name);
        if (is_too_big(c->v, above->perm_count, last ? value_len : 0, child.a_len))
            error = -XEN_ENOSPC;
        else
            error = creation_add(
                c, ends[i],
                record_make(c->v->s, perms, above->perm_count, value, last ? value_len : 0, child),
                last ? FIRE_ALL : FIRE_NONE);
    }
    return error;
}

/* Makes a node that does not exist, and every missing one above it. */
static int create(const struct view *v, const struct store_path *path, const char *value,
                  size_t value_len)
{
    struct creation c = {.v = v, .path = path};
    struct record *above;
    size_t len = path->len;
    int error = nearest(v, path->text, &len, &above);

    if (error != 0)
        return error;
    above = record_hold(above);
    error = creation_fill(&c, above, len, value, value_len);
    for (unsigned i = 0; i < c.count; i++) {
        if (error == 0)
            view_apply(v, &c.changes[i]);
        else
            view_cancel(&c.changes[i]);
    }
    record_drop(above);
    return error;
}

/* Puts a record in place of the one that is there. */
static int replace(const struct view *v, const struct store_path *path, struct record *record)
{
    struct change change;

    if (!record)
        return -XEN_ENOMEM;

    int error = view_prepare(v, path->text, path->len, record, FIRE_ALL, &change);

    if (error == 0)
        view_apply(v, &change);
    return error;
}

int node_write(const struct view *v, const struct store_path *path, const char *value, size_t len)
{
    struct record *r;
    int error = node_get(v, path, PERM_WRITE, &r);

    if (error == -XEN_ENOENT)
        return create(v, path, value, len);
    if (error != 0)
        return error;
    if (is_too_big(v, r->perm_count, len, r->children_len))
        return -XEN_ENOSPC;

    struct names names = {r->children, r->children_len, NULL, 0};

    return replace(v, path, record_make(v->s, r->perms, r->perm_count, value, len, names));
}

int node_mkdir(const struct view *v, const struct store_path *path)
{
    struct record *r;
    int error = node_get(v, path, PERM_WRITE, &r);

    return error == -XEN_ENOENT ? create(v, path, "", 0) : error;
}

int node_set_perms(const struct view *v, const struct store_path *path,
                   const struct store_perm *perms, unsigned count)
{
    struct record *r;
    int error = node_get(v, path, PERM_WRITE | PERM_OWNER, &r);

    if (error != 0)
        return error;
    if (!v->d->privileged) {
        if (perms[0].domid != r->perms[0].domid)
            return -XEN_EPERM;
        if (count > v->s->limits.perms)
            return -XEN_ENOSPC;
    }

    struct names names = {r->children, r->children_len, NULL, 0};

    return replace(v, path, record_make(v->s, perms, count, r->value, r->value_len, names));
}

/* ---- removal --------------------------------------------------------------------------------- */

/*
 * Removes what hangs below a node and then the node, with `path` as the scratch
 * pad that grows and shrinks. In the tree nothing of it can fail; in a
 * transaction each node is noted, which may go beyond a limit.
 */
static int remove_tree(const struct view *v, struct store_path *path, enum fire fire)
{
    struct change change;
    struct record *r;
    size_t len = path->len;
    int error = view_find(v, path->text, len, &r);

    if (error != 0)
        return error;
    r = record_hold(r);

    struct store_words words = {r->children, r->children_len};
    const char *child;

    while (error == 0 && (child = store_word(&words)) != NULL) {
        size_t child_len = strlen(child);

        path->text[len] = '/';
        memcpy(path->text + len + 1, child, child_len + 1);
        path->len = len + 1 + child_len;
        error = remove_tree(v, path, FIRE_EXACT);
    }
    path->text[len] = 0;
    path->len = len;
    record_drop(r);
    if (error == 0)
        error = view_prepare(v, path->text, len, NULL, fire, &change);
    if (error == 0)
        view_apply(v, &change);
    return error;
}

int node_rm(const struct view *v, struct store_path *path)
{
    struct change change;
    struct record *r;
    size_t above_len = store_path_parent(path->text, path->len);

    if (above_len == 0)
        return -XEN_EINVAL;

    int error = node_get(v, path, PERM_WRITE, &r);

    if (error == -XEN_ENOENT)
        return view_find(v, path->text, above_len, &r);
    if (error == 0)
        error = view_find(v, path->text, above_len, &r);
    if (error != 0)
        return error;

    struct names names = record_names_without(r, store_path_name(path->text, path->len));
    struct record *above =
        record_make(v->s, r->perms, r->perm_count, r->value, r->value_len, names);

    if (!above)
        return -XEN_ENOMEM;
    error = view_prepare(v, path->text, above_len, above, FIRE_NONE, &change);
    if (error != 0)
        return error;
    view_apply(v, &change);
    error = remove_tree(v, path, FIRE_ALL);
    if (error != 0 && v->tx)
        v->tx->failed = true;
    return error;
}
