/* Pairs of domains that may share. A domain has few, so a list is enough. */
#include "domain/share.h"

#include "domain/domain.h"
#include "mm/heap.h"

struct pair {
    struct list list;
    uint16_t peer;
};

static struct pair *find(const struct domain *d, uint16_t peer)
{
    list_for_each(node, &d->pairs)
    {
        struct pair *pair = list_entry(node, struct pair, list);

        if (pair->peer == peer)
            return pair;
    }
    return NULL;
}

static bool lists(struct domain *d, uint16_t peer)
{
    LOCK_SCOPE(&d->lock);
    return find(d, peer) || find(d, DOMID_INVALID);
}

bool share_is_allowed(struct domain *a, struct domain *b)
{
    return a == b || lists(a, b->id) || lists(b, a->id);
}

int share_add(struct domain *d, uint16_t peer)
{
    struct pair *pair = heap_alloc(sizeof(*pair));
    bool known;

    if (!pair)
        return -XEN_ENOMEM;
    pair->peer = peer;
    lock_acquire(&d->lock);
    known = find(d, peer) != NULL;
    if (!known)
        list_add_tail(&d->pairs, &pair->list);
    lock_release(&d->lock);
    if (known)
        heap_free(pair);
    return 0;
}

void share_remove(struct domain *d, uint16_t peer)
{
    struct pair *pair;

    lock_acquire(&d->lock);
    pair = find(d, peer);
    if (pair)
        list_del(&pair->list);
    lock_release(&d->lock);
    heap_free(pair);
}

void share_fini(struct domain *d)
{
    struct domain *other = NULL;

    while (!list_is_empty(&d->pairs))
        share_remove(d, list_entry(d->pairs.next, struct pair, list)->peer);
    while ((other = domain_next(other)) != NULL)
        share_remove(other, d->id);
}
