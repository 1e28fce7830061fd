/* An ordered map from strings to structures that embed its entry: a balanced tree. */
#ifndef STORE_MAP_H
#define STORE_MAP_H

#include <stddef.h>

/* The key stays the owner's; it must not change while the entry is in a map. */
struct map_entry {
    struct map_entry *child[2];
    const char *key;
    size_t len;
    int height;
};

struct map {
    struct map_entry *root;
    size_t count;
};

/* NULL if there is none with this key. */
struct map_entry *map_find(const struct map *map, const char *key, size_t len);

/* key and len are set; there is none with this key yet. */
void map_insert(struct map *map, struct map_entry *entry);

/* The entry is in the map. */
void map_remove(struct map *map, struct map_entry *entry);

/* In order of keys: the first, and the one after `entry`; NULL at the end. */
struct map_entry *map_first(const struct map *map);
struct map_entry *map_next(const struct map *map, const struct map_entry *entry);

#endif
