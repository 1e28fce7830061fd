/* Host tests: hooks that see every access to shared memory and may play the peer. */
#ifndef SHM_WATCH_H
#define SHM_WATCH_H

#include <stddef.h>

/*
 * after_read may change the bytes that were just read; before_write may stop
 * the caller for good (longjmp): the store has then not happened. The hook must
 * not itself go through shm.h while it is set.
 */
struct shm_hook {
    void (*after_read)(void *context, void *shared, size_t len);
    void (*before_write)(void *context, void *shared, size_t len);
    void *context;
};

/* NULL: no hook. The structure is not copied. */
void shm_hook_set(const struct shm_hook *hook);

void shm_watch_read(const volatile void *shared, size_t len);
void shm_watch_write(volatile void *shared, size_t len);

#endif
