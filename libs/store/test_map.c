/* The ordered map against a plain array, over many insertions and removals. */
#include "map.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define KEYS 300u

struct item {
    struct map_entry entry;
    char key[8];
    bool in;
};

static struct item items[KEYS];

static int depth(const struct map_entry *e)
{
    if (!e)
        return 0;

    int left = depth(e->child[0]);
    int right = depth(e->child[1]);

    EXPECT(left - right <= 1 && right - left <= 1);
    EXPECT(e->height == 1 + (left > right ? left : right));
    return e->height;
}

static void compare_all(const struct map *map)
{
    const struct map_entry *e = map_first(map);
    size_t count = 0;

    (void)depth(map->root);
    for (unsigned i = 0; i < KEYS; i++) {
        const struct map_entry *found = map_find(map, items[i].key, strlen(items[i].key));

        EXPECT(found == (items[i].in ? &items[i].entry : NULL));
        if (!items[i].in)
            continue;
        EXPECT(e == &items[i].entry);
        e = map_next(map, &items[i].entry);
        count++;
    }
    EXPECT(e == NULL && count == map->count);
}

TEST(map_stays_ordered_and_balanced)
{
    struct map map = {NULL, 0};
    unsigned random = 1;

    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(items[i].key, sizeof(items[i].key), "/%03u", i);
        items[i].entry.key = items[i].key;
        items[i].entry.len = strlen(items[i].key);
    }
    for (unsigned step = 0; step < 4000; step++) {
        random = random * 1103515245 + 12345;

        struct item *item = &items[(random >> 16) % KEYS];

        if (item->in)
            map_remove(&map, &item->entry);
        else
            map_insert(&map, &item->entry);
        item->in = !item->in;
        if (step % 50 == 0)
            compare_all(&map);
    }
    /* In order, the worst case of a tree that does not balance. */
    for (unsigned i = 0; i < KEYS; i++)
        if (items[i].in)
            map_remove(&map, &items[i].entry);
    for (unsigned i = 0; i < KEYS; i++) {
        items[i].in = true;
        map_insert(&map, &items[i].entry);
    }
    compare_all(&map);
    EXPECT(depth(map.root) <= 10);
}

TEST(prefixes_are_different_keys)
{
    struct map map = {NULL, 0};
    struct map_entry a = {.key = "/a", .len = 2};
    struct map_entry b = {.key = "/a/b", .len = 4};

    map_insert(&map, &b);
    EXPECT(map_find(&map, "/a", 2) == NULL);
    map_insert(&map, &a);
    EXPECT(map_find(&map, "/a/b", 2) == &a);
    EXPECT(map_first(&map) == &a && map_next(&map, &a) == &b);
}
