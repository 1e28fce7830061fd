/* A history that overwrites its oldest bytes. */
#include "con_history.h"

#include <shm.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void con_history_put(struct con_history *h, const char *bytes, size_t len)
{
    uint64_t written = h->written;
    size_t start = (size_t)(written % CON_HISTORY_SIZE);
    size_t first = least(len, CON_HISTORY_SIZE - start);

    shm_copy_out(h->bytes + start, bytes, first);
    if (len > first)
        shm_copy_out(h->bytes, bytes + first, len - first);
    shm_write64(&h->written, written + len);
}

size_t con_history_read(const struct con_history *h, uint64_t *at, char *to, size_t len)
{
    uint64_t oldest = h->written > CON_HISTORY_KEPT ? h->written - CON_HISTORY_KEPT : 0;
    size_t done = 0;

    if (*at < oldest)
        *at = oldest;
    while (done < len && *at < h->written) {
        size_t start = (size_t)(*at % CON_HISTORY_SIZE);
        size_t left = (size_t)(h->written - *at);
        size_t n = least(least(len - done, left), CON_HISTORY_SIZE - start);

        shm_copy_in(to + done, h->bytes + start, n);
        *at += n;
        done += n;
    }
    return done;
}
