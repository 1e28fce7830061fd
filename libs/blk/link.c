/* Connecting a back end to its front end's rings and ports, and letting go of them. */
#include "blk_back.h"

#include <string.h>

#include <abi/addr.h>

#include <bus_rings.h>
#include <hcall.h>
#include <rt/event.h>

void blk_back_init(struct blk_back *b, const struct blk_volume *volume, void *space,
                   struct blk_batch *batch)
{
    memset(b, 0, sizeof(*b));
    b->volume = *volume;
    b->batch = batch;
    b->ring_space = space;
    b->pages.space = (uint8_t *)space + (size_t)BLK_QUEUES_MAX * BLK_RING_PAGES_MAX * PAGE_SIZE;
}

static uint8_t *ring_address(const struct blk_back *b, uint32_t queue)
{
    return b->ring_space + (size_t)queue * BLK_RING_PAGES_MAX * PAGE_SIZE;
}

void *blk_back_ring_page(const struct blk_back *b, uint64_t pick)
{
    uint32_t queue = (uint32_t)(pick % b->queue_count);
    uint32_t page = (uint32_t)(pick / b->queue_count % b->ring_pages);

    return ring_address(b, queue) + (size_t)page * PAGE_SIZE;
}

static int rings_map(struct blk_back *b, const struct blk_link *link)
{
    uint32_t count = 0;

    for (uint32_t q = 0; q < b->queue_count; q++)
        for (uint32_t i = 0; i < b->ring_pages; i++)
            b->ring_maps[count++] = bus_ring_page(link->peer, link->queues[q].refs[i],
                                                  ring_address(b, q) + (size_t)i * PAGE_SIZE);
    return bus_rings_map(b->ring_maps, count);
}

static void rings_unmap(struct blk_back *b)
{
    bus_rings_unmap(b->ring_maps, b->queue_count * b->ring_pages);
}

static int ports_bind(struct blk_back *b, const struct blk_link *link)
{
    for (uint32_t q = 0; q < b->queue_count; q++) {
        struct evtchn_bind_interdomain bind = {
            .remote_dom = link->peer,
            .remote_port = link->queues[q].port,
        };
        int rc = hcall_event_bind_interdomain(&bind);

        if (rc < 0)
            return rc;
        b->ports[q] = bind.local_port;
    }
    return 0;
}

static void ports_close(struct blk_back *b)
{
    for (uint32_t q = 0; q < b->queue_count; q++) {
        if (b->ports[q] != 0)
            (void)hcall_event_close(&(struct evtchn_close){.port = b->ports[q]});
        b->ports[q] = 0;
    }
}

int blk_back_connect(struct blk_back *b, const struct blk_link *link, struct blk_redo *redo,
                     bool adopt, const char **why)
{
    int rc = -XEN_EINVAL;

    *why = "asks for more queues or larger rings than were offered";
    if (link->queue_count == 0 || link->queue_count > BLK_QUEUES_MAX ||
        link->ring_order > BLK_RING_ORDER_MAX)
        return rc;
    b->queue_count = link->queue_count;
    b->ring_pages = 1u << link->ring_order;
    b->broken = NULL;
    *why = "has a ring that cannot be mapped";
    rc = rings_map(b, link);
    if (rc < 0)
        goto unmap;
    *why = "claims more requests than its ring has";
    for (uint32_t q = 0; q < b->queue_count; q++) {
        rc = blk_queue_attach(&b->queues[q], ring_address(b, q), (size_t)b->ring_pages * PAGE_SIZE,
                              &redo[q], adopt);
        if (rc < 0)
            goto unmap;
    }
    *why = "has an event channel that cannot be bound";
    rc = ports_bind(b, link);
    if (rc < 0)
        goto close;

    blk_pages_init(&b->pages, b->pages.space, link->peer, link->persistent);
    b->free_jobs = NULL;
    for (uint32_t i = BLK_JOBS_MAX; i-- > 0;) {
        b->jobs[i].next = b->free_jobs;
        b->free_jobs = &b->jobs[i];
    }
    b->connected = true;
    /* A predecessor may have answered without telling; see tests/model/blk_back.pml. */
    for (uint32_t q = 0; adopt && q < b->queue_count; q++)
        event_notify(b->ports[q]);
    *why = NULL;
    return 0;

close:
    ports_close(b);
unmap:
    rings_unmap(b);
    return rc;
}

void blk_back_disconnect(struct blk_back *b)
{
    if (!b->connected)
        return;
    for (uint32_t q = 0; q < b->queue_count; q++) {
        for (const struct blk_job *job = b->queues[q].first; job; job = job->next) {
            for (uint32_t i = 0; i < job->page_count; i++)
                blk_pages_put(&b->pages, b->batch, job->pages[i]);
            if (job->indirect_page != BLK_PAGES_NONE)
                blk_pages_put(&b->pages, b->batch, job->indirect_page);
        }
    }
    blk_pages_fini(&b->pages, b->batch);
    ports_close(b);
    rings_unmap(b);
    b->connected = false;
}
