/* The last bytes that a guest wrote to its console. */
#ifndef CON_HISTORY_H
#define CON_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define CON_HISTORY_SIZE 65536u
#define CON_HISTORY_PUT  1024u /* at most at once */

/* So many are shown again: the others are those that a put may be about to replace. */
#define CON_HISTORY_KEPT (CON_HISTORY_SIZE - CON_HISTORY_PUT)

/*
 * Positions count every byte ever written. It may lie in memory that outlives the
 * domain: a put is there with its last store, and any content is safe to go on with.
 */
struct con_history {
    uint64_t written;
    char bytes[CON_HISTORY_SIZE];
};

/* len is at most CON_HISTORY_PUT. */
void con_history_put(struct con_history *h, const char *bytes, size_t len);

/* Copies on from *at, which jumps to the oldest byte kept; how many, 0 at the end. */
size_t con_history_read(const struct con_history *h, uint64_t *at, char *to, size_t len);

#endif
