/*
 * A balanced tree (AVL): the peers choose the keys, so a hash table would let
 * them make it slow. Depth stays below 1.45 log2(count).
 */
#include "map.h"

#include <string.h>

/* No tree of fewer than 2^64 entries is deeper. */
#define DEPTH_MAX 93

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    if (order == 0)
        order = a_len < b_len ? -1 : a_len > b_len;
    return order;
}

static int height(const struct map_entry *e)
{
    return e ? e->height : 0;
}

static void measure(struct map_entry *e)
{
    int left = height(e->child[0]);
    int right = height(e->child[1]);

    e->height = 1 + (left > right ? left : right);
}

/* The child on `side` becomes the parent. */
static struct map_entry *rotate(struct map_entry *e, int side)
{
    struct map_entry *up = e->child[side];

    e->child[side] = up->child[!side];
    up->child[!side] = e;
    measure(e);
    measure(up);
    return up;
}

static struct map_entry *balance(struct map_entry *e)
{
    measure(e);
    for (int side = 0; side < 2; side++) {
        struct map_entry *heavy = e->child[side];

        if (height(heavy) - height(e->child[!side]) <= 1)
            continue;
        if (height(heavy->child[!side]) > height(heavy->child[side]))
            e->child[side] = rotate(heavy, !side);
        return rotate(e, side);
    }
    return e;
}

/* The links followed from the root to a key, so that balancing can go back up. */
struct trail {
    struct map_entry **links[DEPTH_MAX];
    unsigned count;
};

static void trail_balance(const struct trail *trail)
{
    for (unsigned i = trail->count; i-- > 0;)
        if (*trail->links[i])
            *trail->links[i] = balance(*trail->links[i]);
}

struct map_entry *map_find(const struct map *map, const char *key, size_t len)
{
    struct map_entry *e = map->root;

    while (e) {
        int order = compare(key, len, e->key, e->len);

        if (order == 0)
            return e;
        e = e->child[order > 0];
    }
    return NULL;
}

static struct map_entry **trail_follow(struct trail *trail, struct map *map, const char *key,
                                       size_t len)
{
    struct map_entry **link = &map->root;

    trail->count = 0;
    while (*link) {
        int order = compare(key, len, (*link)->key, (*link)->len);

        if (order == 0)
            break;
        trail->links[trail->count++] = link;
        link = &(*link)->child[order > 0];
    }
    return link;
}

void map_insert(struct map *map, struct map_entry *entry)
{
    struct trail trail;
    struct map_entry **link = trail_follow(&trail, map, entry->key, entry->len);

    entry->child[0] = NULL;
    entry->child[1] = NULL;
    entry->height = 1;
    *link = entry;
    map->count++;
    trail_balance(&trail);
}

void map_remove(struct map *map, struct map_entry *entry)
{
    struct trail trail;
    struct map_entry **link = trail_follow(&trail, map, entry->key, entry->len);

    map->count--;
    if (!entry->child[0] || !entry->child[1]) {
        *link = entry->child[entry->child[0] == NULL];
        trail_balance(&trail);
        return;
    }

    /* The next one in order takes its place. */
    unsigned at = trail.count;
    struct map_entry *above = entry;
    struct map_entry *next = entry->child[1];

    trail.links[trail.count++] = link;
    while (next->child[0]) {
        trail.links[trail.count++] = &above->child[above == entry];
        above = next;
        next = next->child[0];
    }
    above->child[above == entry] = next->child[1];
    next->child[0] = entry->child[0];
    next->child[1] = entry->child[1];
    *link = next;
    /* The first link below the place hung on the removed entry. */
    if (trail.count > at + 1)
        trail.links[at + 1] = &next->child[1];
    trail_balance(&trail);
}

struct map_entry *map_first(const struct map *map)
{
    struct map_entry *e = map->root;

    while (e && e->child[0])
        e = e->child[0];
    return e;
}

struct map_entry *map_next(const struct map *map, const struct map_entry *entry)
{
    struct map_entry *next = NULL;
    struct map_entry *e = map->root;

    while (e) {
        if (compare(entry->key, entry->len, e->key, e->len) < 0) {
            next = e;
            e = e->child[0];
        } else {
            e = e->child[1];
        }
    }
    return next;
}
