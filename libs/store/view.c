/* The tree as one request sees it: directly, or through what its transaction has seen and changed.
 */
#include <stdlib.h>
#include <string.h>

#include <store_alloc.h>

#include "server.h"

struct node *node_find(const struct store_server *s, const char *path, size_t len)
{
    return (struct node *)map_find(&s->nodes, path, len);
}

static struct node *node_new(const char *path, size_t len)
{
    struct node *n = store_alloc(sizeof(*n) + len + 1);

    if (!n)
        return NULL;
    memcpy(n->path, path, len);
    n->entry.key = n->path;
    n->entry.len = len;
    return n;
}

static size_t node_cost(const struct node *n, const struct record *r)
{
    return sizeof(*n) + n->entry.len + 1 + record_cost(r);
}

static void disown(struct store_server *s, struct node *n)
{
    if (!n->payer)
        return;
    domain_credit(s, n->payer, n->cost);
    *n->owned_link = n->owned_next;
    if (n->owned_next)
        n->owned_next->owned_link = n->owned_link;
    n->payer->nodes--;
    s->untidy = true;
}

void node_set(struct store_server *s, struct node *n, struct record *record,
              struct store_domain *owner)
{
    disown(s, n);
    n->payer = owner;
    n->cost = node_cost(n, record);
    domain_charge(s, owner, n->cost);
    owner->nodes++;
    n->owned_next = owner->owned;
    n->owned_link = &owner->owned;
    if (n->owned_next)
        n->owned_next->owned_link = &n->owned_next;
    owner->owned = n;
    record_drop(n->now);
    n->now = record;
}

int node_add(struct store_server *s, const char *path, size_t len, struct record *record)
{
    struct store_domain *owner = domain_get(s, record->perms[0].domid);
    struct node *n = owner ? node_find(s, path, len) : NULL;

    if (owner && !n) {
        n = node_new(path, len);
        if (n)
            map_insert(&s->nodes, &n->entry);
    }
    if (!n) {
        record_drop(record);
        return -XEN_ENOMEM;
    }
    node_set(s, n, record, owner);
    return 0;
}

void node_remove(struct store_server *s, struct node *n)
{
    map_remove(&s->nodes, &n->entry);
    disown(s, n);
    record_drop(n->now);
    free(n);
}

/* ---- through a transaction ------------------------------------------------------------------- */

struct node *tx_node_add(struct store_server *s, struct store_domain *d, struct tx *tx,
                         const char *path, size_t len, struct record *before, struct record *now)
{
    struct node *n = node_new(path, len);

    if (!n)
        return NULL;
    n->before = record_hold(before);
    n->now = record_hold(now);
    n->payer = d;
    n->cost = tx_node_cost(n);
    domain_charge(s, d, n->cost);
    map_insert(&tx->nodes, &n->entry);
    return n;
}

/* What the transaction knows of a path; noted now if this is the first time it looks. */
static int tx_node(const struct view *v, const char *path, size_t len, struct node **node)
{
    struct tx *tx = v->tx;
    struct node *n = (struct node *)map_find(&tx->nodes, path, len);

    if (n) {
        *node = n;
        return 0;
    }
    if (!v->d->privileged && tx->nodes.count >= v->s->limits.transaction_nodes)
        return -XEN_ENOSPC;

    const struct node *there = node_find(v->s, path, len);
    struct record *r = there ? there->now : NULL;
    int error = domain_check(v->s, v->d, v->d, sizeof(*n) + len + 1 + record_cost(r));

    if (error != 0)
        return error;
    *node = tx_node_add(v->s, v->d, tx, path, len, r, r);
    return *node ? 0 : -XEN_ENOMEM;
}

int view_find(const struct view *v, const char *path, size_t len, struct record **record)
{
    struct node *n;

    if (v->tx) {
        int error = tx_node(v, path, len, &n);

        if (error != 0)
            return error;
    } else {
        n = node_find(v->s, path, len);
    }
    if (!n || !n->now)
        return -XEN_ENOENT;
    *record = n->now;
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Whether the change's memory is within limits; what it replaces counts in its favour. */
static int prepare_cost(const struct view *v, const struct change *c)
{
    const struct store_domain *payer = v->tx ? v->d : c->owner;
    size_t cost = node_cost(c->node, c->record);
    size_t old = c->node->payer == payer ? c->node->cost : 0;

    if (v->tx && c->node->before != c->record)
        cost += record_cost(c->node->before);
    return cost <= old ? 0 : domain_check(v->s, v->d, payer, cost - old);
}

int view_prepare(const struct view *v, const char *path, size_t len, struct record *record,
                 enum fire fire, struct change *change)
{
    int error = 0;

    *change = (struct change){.record = record, .fire = fire};
    if (v->tx) {
        error = tx_node(v, path, len, &change->node);
    } else {
        change->node = node_find(v->s, path, len);
        if (!change->node && record) {
            change->node = node_new(path, len);
            change->fresh = true;
        }
        if (record)
            change->owner = domain_get(v->s, record->perms[0].domid);
        if (!change->node || (record && !change->owner))
            error = -XEN_ENOMEM;
    }
    if (error == 0 && record)
        error = prepare_cost(v, change);
    if (error != 0)
        view_cancel(change);
    return error;
}

void view_cancel(const struct change *change)
{
    if (change->fresh)
        free(change->node);
    record_drop(change->record);
}

static void tx_apply(const struct view *v, const struct change *c)
{
    struct node *n = c->node;
    struct tx *tx = v->tx;

    if (!n->before)
        tx->created = tx->created - (n->now != NULL) + (c->record != NULL);
    record_drop(n->now);
    n->now = c->record;
    n->changed = true;
    if (c->fire > n->fire)
        n->fire = c->fire;
    domain_credit(v->s, n->payer, n->cost);
    n->cost = tx_node_cost(n);
    domain_charge(v->s, n->payer, n->cost);
}

void view_apply(const struct view *v, const struct change *c)
{
    struct node *n = c->node;

    if (v->tx) {
        tx_apply(v, c);
        return;
    }

    struct record *before = record_hold(n->now);

    if (c->fresh)
        map_insert(&v->s->nodes, &n->entry);
    if (c->record) {
        node_set(v->s, n, c->record, c->owner);
        watch_fire(v->s, n->path, n->entry.len, c->record, before, c->fire);
    } else {
        struct store_path path = {.len = n->entry.len};

        memcpy(path.text, n->path, n->entry.len + 1);
        node_remove(v->s, n);
        watch_fire(v->s, path.text, path.len, NULL, before, c->fire);
    }
    record_drop(before);
}
