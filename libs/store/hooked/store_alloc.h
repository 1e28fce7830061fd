/* Host tests: memory for the store that runs out when a test says so. */
#ifndef STORE_ALLOC_H
#define STORE_ALLOC_H

#include <stdlib.h>

/* Zeroed; NULL: there is none. */
void *store_alloc(size_t len);

/* The n-th allocation from now on fails, and `more` after it; n = 0: none fails. */
void store_alloc_fail(unsigned n, unsigned more);

/* Whether it has come to that. */
int store_alloc_failed(void);

/* Called at each allocation; NULL: nothing is. */
extern void (*store_alloc_hook)(void);

#endif
