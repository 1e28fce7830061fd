/*
 * The next pending port of a 2-level event channel page, in turn: the search
 * goes on behind the port that was taken last, so that none starves another.
 *
 * The core sets pending bit, selector bit and upcall byte, in this order, and
 * an upper one only if it was not set; the search clears them from above.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stdint.h>

#define SCAN_WORDS 64u

#define SCAN_NONE 0u /* no port */

/* Where the bits are; the core changes them at any time. */
struct scan_words {
    uint8_t *upcall;
    uint64_t *selector;
    uint64_t *pending; /* SCAN_WORDS */
    uint64_t *mask;    /* SCAN_WORDS */
};

struct scan {
    uint64_t ready; /* words that may hold pending ports */
    unsigned word;  /* where the last one was found */
    unsigned bit;
};

void scan_open(struct scan *s, struct scan_words w, unsigned port);
void scan_shut(struct scan_words w, unsigned port);

/* Moves the selector into ready: a sleeper does it, so that the next event wakes it. */
void scan_collect(struct scan *s, struct scan_words w);

/* Takes the next one: its pending bit is cleared. */
unsigned scan_next(struct scan *s, struct scan_words w);

/* Takes this port if it is pending and not masked. */
bool scan_take(struct scan_words w, unsigned port);

#endif
