/* The watched variant of shared memory, for host tests. */
#include <shm_watch.h>

#include <stdint.h>

static const struct shm_hook *current;

void shm_hook_set(const struct shm_hook *hook)
{
    current = hook;
}

void shm_watch_read(const volatile void *shared, size_t len)
{
    if (current && current->after_read)
        current->after_read(current->context, (void *)(uintptr_t)shared, len);
}

void shm_watch_write(volatile void *shared, size_t len)
{
    if (current && current->before_write)
        current->before_write(current->context, (void *)(uintptr_t)shared, len);
}
