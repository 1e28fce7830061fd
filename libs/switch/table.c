/* The learning table: a hash over all, a list by age for each port. */
#include "switch_table.h"

#include <stddef.h>

void switch_table_init(struct switch_table *t, uint64_t seed)
{
    t->key = seed;
    t->unpromised = SWITCH_TABLE_SIZE;
    t->open = 0;
    t->free = 0;
    for (unsigned i = 0; i < SWITCH_TABLE_BUCKETS; i++)
        t->buckets[i] = SWITCH_NO_ENTRY;
    for (unsigned i = 0; i < SWITCH_TABLE_SIZE; i++)
        t->entries[i].next = (uint16_t)(i + 1 < SWITCH_TABLE_SIZE ? i + 1 : SWITCH_NO_ENTRY);
}

/* Keyed, so that nobody can choose addresses that share a bucket. */
static uint16_t *bucket_of(struct switch_table *t, uint64_t mac)
{
    uint64_t x = mac ^ t->key;

    x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return &t->buckets[x % SWITCH_TABLE_BUCKETS];
}

static uint16_t number_of(const struct switch_table *t, const struct switch_entry *e)
{
    return (uint16_t)(e - t->entries);
}

/* ---- a port's list ------------------------------------------------------------------------- */

static void unlink_age(struct switch_table *t, struct switch_share *share, struct switch_entry *e)
{
    if (e->newer == SWITCH_NO_ENTRY)
        share->newest = e->older;
    else
        t->entries[e->newer].older = e->older;
    if (e->older == SWITCH_NO_ENTRY)
        share->oldest = e->newer;
    else
        t->entries[e->older].newer = e->newer;
    share->count--;
}

static void link_age(struct switch_table *t, struct switch_share *share, struct switch_entry *e)
{
    uint16_t number = number_of(t, e);

    e->newer = SWITCH_NO_ENTRY;
    e->older = share->newest;
    if (share->newest == SWITCH_NO_ENTRY)
        share->oldest = number;
    else
        t->entries[share->newest].newer = number;
    share->newest = number;
    share->count++;
}

/* ---- entries ------------------------------------------------------------------------------- */

static void forget(struct switch_table *t, struct switch_share *share, struct switch_entry *e)
{
    uint16_t number = number_of(t, e);
    uint16_t *link = bucket_of(t, e->mac);

    while (*link != number)
        link = &t->entries[*link].next;
    *link = e->next;
    unlink_age(t, share, e);
    e->next = t->free;
    t->free = number;
}

static bool is_old(const struct switch_entry *e, uint64_t now)
{
    return now - e->seen > SWITCH_AGE;
}

/* Makes room in a share: what is too old, or else the oldest. */
static void make_room(struct switch_table *t, struct switch_share *share, uint64_t now)
{
    while (share->oldest != SWITCH_NO_ENTRY && is_old(&t->entries[share->oldest], now))
        forget(t, share, &t->entries[share->oldest]);
    if (share->count > 0 && share->count == share->max)
        forget(t, share, &t->entries[share->oldest]);
}

static struct switch_entry *find(struct switch_table *t, uint64_t mac, uint16_t vid)
{
    for (uint16_t i = *bucket_of(t, mac); i != SWITCH_NO_ENTRY; i = t->entries[i].next)
        if (t->entries[i].mac == mac && t->entries[i].vid == vid)
            return &t->entries[i];
    return NULL;
}

const struct switch_entry *switch_table_find(struct switch_table *t, uint64_t mac, uint16_t vid,
                                             uint64_t now)
{
    const struct switch_entry *e = find(t, mac, vid);

    return e && !is_old(e, now) ? e : NULL;
}

static void add(struct switch_table *t, uint16_t port, uint64_t mac, uint16_t vid, uint64_t now)
{
    struct switch_share *share = &t->shares[port];

    make_room(t, share, now);
    if (share->max == 0)
        return;

    /* There is a free one: the shares together are no larger than the table. */
    struct switch_entry *e = &t->entries[t->free];
    uint16_t *bucket = bucket_of(t, mac);

    t->free = e->next;
    *e = (struct switch_entry){.mac = mac, .vid = vid, .port = port, .seen = now, .next = *bucket};
    *bucket = number_of(t, e);
    link_age(t, share, e);
}

enum switch_learned switch_table_learn(struct switch_table *t, uint16_t port, uint64_t mac,
                                       uint16_t vid, uint64_t now)
{
    struct switch_entry *e = find(t, mac, vid);
    enum switch_learned learned = SWITCH_NEW;

    if (e && e->port == port) {
        unlink_age(t, &t->shares[port], e);
        e->seen = now;
        link_age(t, &t->shares[port], e);
        return SWITCH_KNOWN;
    }
    if (e) {
        learned = is_old(e, now) ? SWITCH_NEW : SWITCH_MOVED;
        forget(t, &t->shares[e->port], e);
    }
    add(t, port, mac, vid, now);
    return learned;
}

/* ---- shares -------------------------------------------------------------------------------- */

void switch_table_open(struct switch_table *t, uint16_t port, uint16_t want)
{
    uint32_t kept = (SWITCH_TABLE_PORTS - 1u - t->open) * SWITCH_SHARE_GUEST;
    uint32_t most = t->unpromised - kept;
    uint16_t max = (uint16_t)(want < most ? want : most);

    t->open++;
    t->unpromised = (uint16_t)(t->unpromised - max);
    t->shares[port] =
        (struct switch_share){.newest = SWITCH_NO_ENTRY, .oldest = SWITCH_NO_ENTRY, .max = max};
}

void switch_table_clear(struct switch_table *t, uint16_t port)
{
    struct switch_share *share = &t->shares[port];

    while (share->count > 0)
        forget(t, share, &t->entries[share->oldest]);
}

void switch_table_close(struct switch_table *t, uint16_t port)
{
    switch_table_clear(t, port);
    t->unpromised = (uint16_t)(t->unpromised + t->shares[port].max);
    t->shares[port].max = 0;
    t->open--;
}
