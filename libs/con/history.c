/* A history that overwrites its oldest bytes. */
#include "con_history.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void con_history_put(struct con_history *h, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t start = (size_t)(h->written % CON_HISTORY_SIZE);
        size_t n = least(len, CON_HISTORY_SIZE - start);

        memcpy(h->bytes + start, bytes, n);
        h->written += n;
        bytes += n;
        len -= n;
    }
}

size_t con_history_read(const struct con_history *h, uint64_t *at, char *to, size_t len)
{
    uint64_t oldest = h->written > CON_HISTORY_SIZE ? h->written - CON_HISTORY_SIZE : 0;
    size_t done = 0;

    if (*at < oldest)
        *at = oldest;
    while (done < len && *at < h->written) {
        size_t start = (size_t)(*at % CON_HISTORY_SIZE);
        size_t left = (size_t)(h->written - *at);
        size_t n = least(least(len - done, left), CON_HISTORY_SIZE - start);

        memcpy(to + done, h->bytes + start, n);
        *at += n;
        done += n;
    }
    return done;
}
