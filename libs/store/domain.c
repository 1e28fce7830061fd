/* The domains that the server knows, and what is kept for each. */
#include <stdlib.h>
#include <string.h>

#include <store_alloc.h>

#include "server.h"

const struct store_limits store_limits_default = {
    .nodes = 1000,
    .node_bytes = 2048,
    .perms = 5,
    .watches = 128,
    .events = 256,
    .transactions = 10,
    .transaction_nodes = 1024,
    .domain_bytes = 256 << 10,
    .request_lives = 2,
    .total_bytes = 4 << 20,
};

static struct store_domain *find(const struct store_server *s, domid_t domid)
{
    struct store_domain *d = s->domains;

    while (d && d->domid != domid)
        d = d->next;
    return d;
}

struct store_domain *domain_get(struct store_server *s, domid_t domid)
{
    struct store_domain *d = find(s, domid);

    if (d)
        return d;
    d = store_alloc(sizeof(*d));
    if (!d)
        return NULL;
    d->domid = domid;
    d->target = DOMID_INVALID;
    d->next = s->domains;
    s->domains = d;
    s->untidy = true;
    return d;
}

void domain_trim(struct store_server *s)
{
    struct store_domain **link = &s->domains;

    while (s->untidy && *link) {
        struct store_domain *d = *link;

        if (d->introduced || d->nodes > 0) {
            link = &d->next;
            continue;
        }
        *link = d->next;
        free(d);
    }
    s->untidy = false;
}

int domain_check(const struct store_server *s, const struct store_domain *by,
                 const struct store_domain *d, size_t bytes)
{
    size_t total = s->limits.total_bytes;

    if (!by->privileged) {
        total -= (by->serves ? 1 : 2) * (s->limits.total_bytes / 8);
        if (!d->privileged && d->bytes + bytes > s->limits.domain_bytes * domain_share(d))
            return -XEN_ENOSPC;
    }
    return s->bytes + bytes > total ? -XEN_ENOSPC : 0;
}

void domain_charge(struct store_server *s, struct store_domain *d, size_t bytes)
{
    d->bytes += bytes;
    s->bytes += bytes;
}

void domain_credit(struct store_server *s, struct store_domain *d, size_t bytes)
{
    d->bytes -= bytes;
    s->bytes -= bytes;
}

void server_serves(struct store_domain *d, bool serves)
{
    d->serves = serves;
}

struct store_domain *server_domain(struct store_server *s, domid_t domid)
{
    struct store_domain *d = find(s, domid);

    return d && d->introduced ? d : NULL;
}

void server_reset(struct store_server *s, struct store_domain *d)
{
    tx_drop_all(s, d);
    watch_drop_all(s, d);
}

struct store_domain *server_introduce(struct store_server *s, domid_t domid, bool privileged)
{
    struct store_domain *d = domain_get(s, domid);

    if (!d)
        return NULL;
    if (d->introduced) {
        server_reset(s, d);
        return d;
    }
    d->introduced = true;
    d->privileged = privileged;
    watch_fire_special(s, "@introduceDomain");
    return d;
}

/*
 * A domain that will have this number later must not inherit nodes. The access
 * lists of other domains' nodes stay: whoever made them removes them, and numbers
 * are not used again soon.
 */
static void disown(struct store_server *s, struct store_domain *d)
{
    struct store_domain *heir = domain_get(s, 0);

    while (heir && heir != d && d->owned) {
        struct node *n = d->owned;
        struct record *old = n->now;
        struct names names = {old->children, old->children_len, NULL, 0};
        struct record *r =
            record_make(s, old->perms, old->perm_count, old->value, old->value_len, names);

        if (!r)
            r = record_hold(old); /* then transactions do not notice */
        r->perms[0].domid = 0;
        node_set(s, n, r, heir);
    }
}

void server_release(struct store_server *s, domid_t domid)
{
    struct store_domain *d = server_domain(s, domid);

    if (!d)
        return;
    server_reset(s, d);
    disown(s, d);
    d->introduced = false;
    d->target = DOMID_INVALID;
    for (struct store_domain *other = s->domains; other; other = other->next)
        if (other->target == domid)
            other->target = DOMID_INVALID;
    s->untidy = true;
    domain_trim(s);
    watch_fire_special(s, "@releaseDomain");
}

struct store_server *server_create(const struct store_limits *limits)
{
    static const struct store_perm nobody = {0, 'n'};
    struct store_server *s = store_alloc(sizeof(*s));

    if (!s)
        return NULL;
    s->limits = *limits;

    struct record *r = record_make(s, &nobody, 1, "", 0, (struct names){0});

    if (!r || node_add(s, "/", 1, r) != 0) {
        free(s->domains); /* that of the root's owner at most */
        free(s);
        return NULL;
    }
    return s;
}

void server_destroy(struct store_server *s)
{
    struct map_entry *e;

    for (struct store_domain *d = s->domains; d; d = d->next)
        server_reset(s, d);
    while ((e = s->nodes.root) != NULL)
        node_remove(s, (struct node *)e);
    while (s->domains) {
        struct store_domain *d = s->domains;

        s->domains = d->next;
        free(d);
    }
    free(s);
}

size_t server_bytes(const struct store_server *s, const struct store_domain *d)
{
    return d ? d->bytes : s->bytes;
}
