/*
 * Page numbers from 0 to a limit, each free or taken: one bit a page. Serves a
 * domain's RAM as well as its empty address space.
 *
 * Runs are given from the top of the range downwards, so that what grows
 * upwards in one piece (the C library's break) finds its next page free.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_NONE SIZE_MAX

/* Words of the bitmap for a number of pages. */
#define PAGES_WORDS(count) (((count) + 63) / 64)

struct pages {
    uint64_t *taken; /* a bit set: taken, or never there */
    size_t count;
    size_t free;
    size_t above; /* no page from here on is free */
};

/* Starts with every page taken; pages_free gives what there is. */
void pages_init(struct pages *p, uint64_t *bitmap, size_t count);

/* The first number of a run of free pages, now taken; PAGES_NONE if there is none. */
size_t pages_alloc(struct pages *p, size_t run);

/* Takes these very pages, if all are free. */
bool pages_take(struct pages *p, size_t first, size_t run);

/* False, and nothing is changed, if one of them is not taken or does not exist. */
bool pages_free(struct pages *p, size_t first, size_t run);

/* n < count. */
bool pages_is_taken(const struct pages *p, size_t n);

#endif
