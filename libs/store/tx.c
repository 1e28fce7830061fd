/*
 * Transactions: each keeps, by reference, the records of the nodes it has looked
 * at, and what it made of them. It may be committed if every node it looked at is
 * still what it was, or still absent.
 */
#include <stdlib.h>

#include <store_alloc.h>

#include "server.h"

size_t tx_node_cost(const struct node *n)
{
    size_t cost = sizeof(*n) + n->entry.len + 1 + record_cost(n->now);

    return n->before && n->before != n->now ? cost + record_cost(n->before) : cost;
}

struct tx *tx_find(const struct store_domain *d, uint32_t id)
{
    struct tx *tx = d->transactions;

    while (tx && tx->id != id)
        tx = tx->next;
    return tx;
}

struct tx *tx_make(struct store_server *s, struct store_domain *d, uint32_t id)
{
    struct tx *tx = store_alloc(sizeof(*tx));

    if (!tx)
        return NULL;
    tx->id = id;
    tx->next = d->transactions;
    d->transactions = tx;
    d->tx_count++;
    domain_charge(s, d, sizeof(*tx));
    return tx;
}

int tx_start(struct store_server *s, struct store_domain *d, uint32_t *id)
{
    if (!d->privileged && d->tx_count >= s->limits.transactions)
        return -XEN_ENOSPC;

    int error = domain_check(s, d, d, sizeof(struct tx));

    if (error != 0)
        return error;

    do
        d->tx_last++;
    while (d->tx_last == 0 || tx_find(d, d->tx_last));
    *id = d->tx_last;
    return tx_make(s, d, *id) ? 0 : -XEN_ENOMEM;
}

static void entry_free(struct store_server *s, struct tx *tx, struct node *n)
{
    map_remove(&tx->nodes, &n->entry);
    domain_credit(s, n->payer, n->cost);
    record_drop(n->before);
    record_drop(n->now);
    free(n);
}

static void tx_free(struct store_server *s, struct store_domain *d, struct tx *tx)
{
    struct tx **link = &d->transactions;

    while (*link != tx)
        link = &(*link)->next;
    *link = tx->next;
    d->tx_count--;
    while (tx->nodes.root)
        entry_free(s, tx, (struct node *)tx->nodes.root);
    domain_credit(s, d, sizeof(*tx));
    free(tx);
}

void tx_drop_all(struct store_server *s, struct store_domain *d)
{
    while (d->transactions)
        tx_free(s, d, d->transactions);
}

/* 0 if it may be committed. Changes nothing but that owners of new nodes are known. */
static int tx_check(struct store_server *s, const struct store_domain *d, const struct tx *tx)
{
    unsigned created = 0;
    unsigned removed = 0;

    if (tx->failed)
        return -XEN_ENOSPC;
    for (const struct map_entry *e = map_first(&tx->nodes); e; e = map_next(&tx->nodes, e)) {
        const struct node *n = (const struct node *)e;
        const struct node *there = node_find(s, n->path, n->entry.len);

        if ((there ? there->now : NULL) != n->before)
            return -XEN_EAGAIN;
        created += !n->before && n->now && n->now->perms[0].domid == d->domid;
        removed += n->before && !n->now && n->before->perms[0].domid == d->domid;
        if (n->now && n->changed && !domain_get(s, n->now->perms[0].domid))
            return -XEN_ENOMEM;
    }
    if (!d->privileged && created > removed &&
        d->nodes + created - removed > s->limits.nodes * domain_share(d))
        return -XEN_ENOSPC;
    return 0;
}

/* Brings one changed entry into the tree; a new node is the transaction's own entry, moved. */
static void entry_commit(struct store_server *s, struct tx *tx, struct node *n)
{
    struct node *there = node_find(s, n->path, n->entry.len);
    struct record *now = n->now;

    domain_credit(s, n->payer, n->cost);
    map_remove(&tx->nodes, &n->entry);
    n->now = NULL;
    if (now && !there) {
        n->payer = NULL;
        n->before = NULL;
        map_insert(&s->nodes, &n->entry);
        node_set(s, n, now, domain_get(s, now->perms[0].domid));
        return;
    }
    if (there && now)
        node_set(s, there, now, domain_get(s, now->perms[0].domid));
    else if (there)
        node_remove(s, there);
    record_drop(n->before);
    free(n);
}

/* The watches of what was committed, before the entries go. */
static void tx_fire(struct store_server *s, const struct tx *tx)
{
    for (const struct map_entry *e = map_first(&tx->nodes); e; e = map_next(&tx->nodes, e)) {
        const struct node *n = (const struct node *)e;

        if (n->changed && (n->before || n->now))
            watch_fire(s, n->path, n->entry.len, n->now, n->before, n->fire);
    }
}

/*
 * Events are queued before the nodes move: nothing is delivered until the request
 * is done, and the old and the new record are at hand.
 */
static void tx_commit(struct store_server *s, struct tx *tx)
{
    struct map_entry *next;

    tx_fire(s, tx);
    for (struct map_entry *e = map_first(&tx->nodes); e; e = next) {
        struct node *n = (struct node *)e;

        next = map_next(&tx->nodes, e);
        if (n->changed && n->now != n->before)
            entry_commit(s, tx, n);
    }
}

int tx_end(struct store_server *s, struct store_domain *d, struct tx *tx, bool commit)
{
    int error = commit ? tx_check(s, d, tx) : 0;

    if (commit && error == 0)
        tx_commit(s, tx);
    tx_free(s, d, tx);
    return error;
}
