/*
 * Answers to transmitted packets, such that a successor can finish or repeat them:
 * the order of stores is tests/model/net_tx.pml's.
 */
#include "net_tx.h"

#include <abi/addr.h>

#include <shm.h>

/*
 * An extra has no id of its own, and one that is answered keeps its kind and
 * flags: only its status is written.
 */
static void answer_write(struct net_tx *t, const struct net_redo_answer *a, const uint16_t *ids)
{
    for (uint32_t i = 0; i < a->slots; i++) {
        struct netif_tx_response *slot = ring_back_slot(&t->ring, i);

        if (a->extras & 1u << i)
            shm_write16((uint16_t *)&slot->status, (uint16_t)NETIF_RSP_NULL);
        else
            shm_copy_out(slot, &(struct netif_tx_response){.id = ids[i], .status = a->status},
                         sizeof(*slot));
    }
    ring_back_publish_many(&t->ring, a->slots);
}

/*
 * Finishes the answer that the record shows begun. A response reaches over its
 * request's reference only: the id still stands behind it.
 */
static void redo_finish(struct net_tx *t)
{
    uint16_t ids[NET_TX_SLOTS_MAX];
    struct net_redo_answer answer;

    int pending = ring_back_pending(&t->ring);

    if (pending < 0 || !net_redo_read(t->redo, t->ring.rsp_prod, (uint32_t)pending, &answer))
        return;
    for (uint32_t i = 0; i < answer.slots; i++) {
        const struct netif_tx_request *slot = ring_back_slot(&t->ring, i);

        ids[i] = shm_read16(&slot->id);
    }
    answer_write(t, &answer, ids);
    t->ring.req_cons += answer.slots;
}

int net_tx_attach(struct net_tx *t, void *page, struct net_redo_record *redo, bool adopt)
{
    *t = (struct net_tx){.redo = redo};
    int rc = ring_back_attach(&t->ring, page, PAGE_SIZE, NET_TX_SLOT_SIZE);

    if (rc < 0)
        return rc;
    if (adopt)
        redo_finish(t);
    else
        net_redo_clear(redo);
    return 0;
}

void net_tx_push(struct net_tx *t, struct net_job *job)
{
    job->next = NULL;
    if (t->last)
        t->last->next = job;
    else
        t->first = job;
    t->last = job;
    if (!t->unread)
        t->unread = job;
    t->flying++;
}

void net_tx_answer(struct net_tx *t, struct net_job **free)
{
    while (t->first && t->first != t->unread && t->first->done) {
        struct net_job *job = t->first;
        struct net_redo_answer answer = {.first = t->ring.rsp_prod,
                                         .slots = job->slots,
                                         .extras = job->extras,
                                         .status = job->status};

        net_redo_write(t->redo, &answer);
        answer_write(t, &answer, job->ids);
        t->first = job->next;
        if (!t->first)
            t->last = NULL;
        t->flying--;
        t->quiet_bytes += job->packet.len;
        job->next = *free;
        *free = job;
    }
}
