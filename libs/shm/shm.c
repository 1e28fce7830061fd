/* Copies between shared and own memory. */
#include "shm.h"

#include <string.h>

/*
 * The barrier after the copy makes a second read of the shared side impossible:
 * the compiler must assume that it has changed, so the local copy has to exist.
 */
void shm_copy_in(void *to, const void *shared, size_t len)
{
    shm_barrier_read();
    memcpy(to, shared, len);
    shm_barrier_read();
    shm_watch_read(shared, len);
}

void shm_copy_out(void *shared, const void *from, size_t len)
{
    shm_watch_write(shared, len);
    shm_barrier_write();
    memcpy(shared, from, len);
    shm_barrier_write();
}

void shm_clear(void *shared, size_t len)
{
    shm_watch_write(shared, len);
    shm_barrier_write();
    memset(shared, 0, len);
    shm_barrier_write();
}
