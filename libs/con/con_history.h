/* The last bytes that a guest wrote to its console. */
#ifndef CON_HISTORY_H
#define CON_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define CON_HISTORY_SIZE 65536u

/* Positions count every byte ever written; the last CON_HISTORY_SIZE of them are kept. */
struct con_history {
    uint64_t written;
    char bytes[CON_HISTORY_SIZE];
};

void con_history_put(struct con_history *h, const char *bytes, size_t len);

/* Copies on from *at, which jumps to the oldest byte kept; how many, 0 at the end. */
size_t con_history_read(const struct con_history *h, uint64_t *at, char *to, size_t len);

#endif
