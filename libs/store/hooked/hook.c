/* Memory that runs out on request, for host tests. */
#include <store_alloc.h>

void (*store_alloc_hook)(void);

static unsigned wait;
static unsigned left;
static int failed;

void *store_alloc(size_t len)
{
    if (store_alloc_hook)
        store_alloc_hook();
    if (wait > 0 && --wait > 0)
        return calloc(1, len);
    if (left == 0)
        return calloc(1, len);
    left--;
    failed = 1;
    return NULL;
}

void store_alloc_fail(unsigned n, unsigned more)
{
    wait = n;
    left = n > 0 ? more + 1 : 0;
    failed = 0;
}

int store_alloc_failed(void)
{
    return failed;
}
