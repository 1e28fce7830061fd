/* Records of answers that are being written; tests/model says in what order. */
#include "net_redo.h"

#include <shm.h>

void net_redo_write(struct net_redo_record *record, const struct net_redo_answer *answer)
{
    shm_write64(&record->tag, 0);
    shm_write32(&record->slots, answer->slots);
    shm_write32(&record->extras, answer->extras);
    shm_write32((uint32_t *)&record->status, (uint32_t)answer->status);
    shm_write32(&record->ids, answer->ids);
    shm_write64(&record->tag, NET_REDO_VALID | answer->first);
}

void net_redo_clear(struct net_redo_record *record)
{
    shm_write64(&record->tag, 0);
}

/* What an answer of ours can be: its first slot is no extra. */
static bool record_is_sane(const struct net_redo_record *r, uint32_t pending)
{
    return r->slots > 0 && r->slots <= NET_TX_SLOTS_MAX && r->slots <= pending &&
           (r->extras & 1) == 0 && r->extras >> r->slots == 0 && r->status <= NETIF_RSP_OKAY &&
           r->status >= NETIF_RSP_DROPPED;
}

bool net_redo_read(const struct net_redo_record *record, uint32_t first, uint32_t pending,
                   struct net_redo_answer *answer)
{
    struct net_redo_record copy;

    shm_copy_in(&copy, record, sizeof(copy));
    if (copy.tag != (NET_REDO_VALID | first) || !record_is_sane(&copy, pending))
        return false;
    *answer = (struct net_redo_answer){.first = first,
                                       .slots = copy.slots,
                                       .extras = copy.extras,
                                       .ids = copy.ids,
                                       .status = (int16_t)copy.status};
    return true;
}
