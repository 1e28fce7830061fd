/* Memory for the store, from the C library. */
#ifndef STORE_ALLOC_H
#define STORE_ALLOC_H

#include <stdlib.h>

/* Zeroed; NULL: there is none. */
static inline void *store_alloc(size_t len)
{
    return calloc(1, len);
}

#endif
