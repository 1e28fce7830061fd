/* Pairs of domains that may share. A domain has few, so they are looked through one by one. */
#include "domain/share.h"

#include "domain/domain.h"
#include "mm/heap.h"

/* What fits into a page. */
#define PAIRS_MAX (PAGE_SIZE / sizeof(uint16_t))

static uint16_t *find(const struct domain *d, uint16_t peer)
{
    for (unsigned i = 0; i < d->pair_count; i++)
        if (d->pairs[i] == peer)
            return &d->pairs[i];
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
    LOCK_SCOPE(&d->lock);
    if (find(d, peer))
        return 0;
    if (d->pair_count == PAIRS_MAX || (!d->pairs && !(d->pairs = pool_alloc(0))))
        return -XEN_ENOMEM;
    d->pairs[d->pair_count++] = peer;
    return 0;
}

void share_remove(struct domain *d, uint16_t peer)
{
    LOCK_SCOPE(&d->lock);
    uint16_t *pair = find(d, peer);
    if (pair)
        *pair = d->pairs[--d->pair_count];
}

void share_fini(struct domain *d)
{
    struct domain *other = NULL;

    d->pair_count = 0;
    while ((other = domain_next(other)) != NULL)
        share_remove(other, d->id);
}
