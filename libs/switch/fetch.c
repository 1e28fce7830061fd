/* Fetches what is granted by copies of the hypervisor's, a batch at a time. */
#include <net_batch.h>

#include "switch_pool.h"

static void fetch(void *context, struct switch_part *parts, unsigned count)
{
    struct net_batch *batch = context;

    for (unsigned i = 0; i < count; i++) {
        struct switch_part *p = &parts[i];

        net_batch_copy(batch, net_place_granted(p->owner, p->ref, p->offset),
                       net_place_local(p->to), p->len, &p->failed);
    }
    net_batch_run(batch);
}

const struct switch_pool_driver switch_pool_grants = {.fetch = fetch};
