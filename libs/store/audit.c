/* The server's books, audited: for tests and fuzzing. */
#include <string.h>

#include "server.h"

static bool is_listed(const struct record *above, const char *name)
{
    struct store_words words = {above->children, above->children_len};
    const char *child;

    while ((child = store_word(&words)) != NULL)
        if (strcmp(child, name) == 0)
            return true;
    return false;
}

static size_t names_count(const struct record *r)
{
    struct store_words words = {r->children, r->children_len};
    size_t count = 0;

    while (store_word(&words))
        count++;
    return count;
}

/* Every node hangs on its parent's list, and every list names nodes only. */
static bool tree_agrees(const struct store_server *s)
{
    size_t listed = 1;

    for (const struct map_entry *e = map_first(&s->nodes); e; e = map_next(&s->nodes, e)) {
        const struct node *n = (const struct node *)e;
        size_t above = store_path_parent(n->path, e->len);
        const struct node *parent = above ? node_find(s, n->path, above) : NULL;

        if (!n->now || n->now->perm_count == 0 || n->payer->domid != n->now->perms[0].domid)
            return false;
        if (above && (!parent || !is_listed(parent->now, store_path_name(n->path, e->len))))
            return false;
        listed += names_count(n->now);
    }
    return listed == s->nodes.count;
}

static bool domain_agrees(const struct store_domain *d)
{
    size_t bytes = 0;
    unsigned nodes = 0;
    unsigned watches = 0;
    unsigned overruns = 0;
    unsigned transactions = 0;
    unsigned events = 0;

    for (const struct node *n = d->owned; n; n = n->owned_next, nodes++)
        bytes += n->cost;
    for (const struct watch *w = d->watches; w; w = w->next_domain, watches++) {
        bytes += w->cost;
        overruns += w->overrun;
    }
    for (const struct event *e = d->event_first; e; e = e->next, events++)
        bytes += e->cost;
    for (const struct tx *tx = d->transactions; tx; tx = tx->next, transactions++) {
        bytes += sizeof(*tx);
        for (const struct map_entry *e = map_first(&tx->nodes); e; e = map_next(&tx->nodes, e))
            bytes += ((const struct node *)e)->cost;
    }
    return bytes == d->bytes && nodes == d->nodes && watches == d->watch_count &&
           overruns == d->overruns && transactions == d->tx_count && events == d->event_count &&
           (d->introduced || nodes > 0);
}

bool server_is_consistent(const struct store_server *s)
{
    size_t bytes = 0;
    size_t nodes = 0;

    for (const struct store_domain *d = s->domains; d; d = d->next) {
        if (!domain_agrees(d))
            return false;
        bytes += d->bytes;
        nodes += d->nodes;
    }
    return bytes == s->bytes && nodes == s->nodes.count && tree_agrees(s);
}
