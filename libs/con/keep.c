/* Whose history is whose, and where it meets its ring. */
#include "con_keep.h"

#include <shm.h>

#define REPLAYING (1ull << 48)

struct con_keep_session con_keep_session(const struct con_keep *k)
{
    uint64_t word = shm_read64(&k->shown);

    return (struct con_keep_session){(uint32_t)word, (domid_t)(word >> 32),
                                     (word & REPLAYING) != 0};
}

void con_keep_set_session(struct con_keep *k, struct con_keep_session s)
{
    shm_write64(&k->shown, s.session | (uint64_t)s.attached << 32 | (s.replaying ? REPLAYING : 0));
}

static int find(const struct con_keep *k, uint64_t owner, const bool used[CON_CLIENTS_MAX])
{
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (!used[i] && shm_read64(&k->clients[i].owner) == owner)
            return (int)i;
    return -1;
}

/* Whose domain has gone while nobody was there to see it. */
static int find_stale(const bool used[CON_CLIENTS_MAX])
{
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (!used[i])
            return (int)i;
    return -1;
}

int con_keep_claim(struct con_keep *k, domid_t domid, const bool used[CON_CLIENTS_MAX])
{
    uint64_t owner = (uint64_t)domid + 1;
    int place = find(k, owner, used);

    if (place >= 0)
        return place;
    place = find(k, 0, used);
    if (place < 0)
        place = find_stale(used);
    if (place < 0)
        return -1;

    struct con_keep_client *c = &k->clients[place];

    shm_write64(&c->owner, 0);
    shm_write64(&c->history.written, 0);
    shm_write64(&c->base, 0);
    shm_write64(&c->owner, owner);
    return place;
}

void con_keep_drop(struct con_keep *k, unsigned place)
{
    shm_write64(&k->clients[place].owner, 0);
}

void con_keep_connect(struct con_keep_client *c, uint32_t at, uint32_t again)
{
    uint64_t written = shm_read64(&c->history.written);
    uint32_t ahead = (uint32_t)c->base + (uint32_t)written - at;

    if (ahead > 0 && ahead <= again && ahead <= written) {
        written -= ahead;
        shm_write64(&c->history.written, written);
    }
    shm_write64(&c->base, (uint32_t)(at - (uint32_t)written));
}
