/*
 * Copies by grant that wait to be done together, with one call. One batch serves
 * all interfaces of a domain: what they have to copy in a round goes at once.
 */
#ifndef NET_BATCH_H
#define NET_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant.h>

#define NET_BATCH_MAX 512u

/* One end of a copy: bytes of this domain's, or of a page that another one granted. */
struct net_place {
    void *local; /* NULL: granted */
    domid_t domid;
    uint16_t offset; /* granted: in the page */
    grant_ref_t ref;
};

static inline struct net_place net_place_local(const void *at)
{
    return (struct net_place){.local = (void *)(uintptr_t)at};
}

static inline struct net_place net_place_granted(domid_t domid, grant_ref_t ref, uint16_t offset)
{
    return (struct net_place){.domid = domid, .ref = ref, .offset = offset};
}

struct net_batch {
    uint32_t count;
    struct gnttab_copy ops[NET_BATCH_MAX];
    bool *failed[NET_BATCH_MAX];
    uint64_t calls, copies, bytes;
};

/*
 * Queues a copy. A granted end stays in its page; a local one may cross pages.
 * *failed becomes true if it cannot be done, at the latest in net_batch_run: a
 * full batch is run to make room.
 */
void net_batch_copy(struct net_batch *b, struct net_place from, struct net_place to, uint32_t len,
                    bool *failed);

void net_batch_run(struct net_batch *b);

#endif
