/*
 * Requests from the rings to the disk and back: batches of them, each step for all
 * at once. Their order is tests/model/blk.pml's, which names each step.
 */
#include "blk_back.h"

#include <rt/event.h>
#include <shm.h>

/* What a request may need at most: its segments' pages and an indirect one. */
#define JOB_PAGES_MAX (BLK_SEGMENTS_MAX + 1)

static struct blk_job *job_alloc(struct blk_back *b)
{
    struct blk_job *job = b->free_jobs;

    b->free_jobs = job->next;
    job->io = (struct blk_io){.spans = job->spans};
    job->status = BLKIF_RSP_OKAY;
    job->put = job->held = false;
    job->page_count = 0;
    job->indirect_page = BLK_PAGES_NONE;
    return job;
}

static void job_free(struct blk_back *b, struct blk_job *job)
{
    job->next = b->free_jobs;
    b->free_jobs = job;
}

static void job_fail(struct blk_job *job, int16_t status)
{
    job->status = status;
    job->io.done = true;
}

/* Takes the pages of checked segments; their device addresses come when they are mapped. */
static void job_get_segments(struct blk_back *b, struct blk_job *job,
                             const struct blkif_request_segment *segments, uint32_t count)
{
    uint64_t sectors = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!blk_request_segment_is_good(&segments[i])) {
            job_fail(job, BLKIF_RSP_ERROR);
            return;
        }
        sectors += segments[i].last_sect - segments[i].first_sect + 1u;
    }
    if (!blk_request_range_is_good(&b->volume, job->io.sector, sectors)) {
        job_fail(job, BLKIF_RSP_ERROR);
        return;
    }
    if (!blk_pages_reserve(&b->pages, b->batch, count)) {
        job_fail(job, BLKIF_RSP_ERROR);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct blkif_request_segment *s = &segments[i];

        job->pages[i] = blk_pages_get(&b->pages, b->batch, s->gref, job->io.op == BLK_WRITE);
        job->spans[i] = (struct blk_span){
            .dma = (uint64_t)s->first_sect * BLK_SECTOR,
            .len = (s->last_sect - s->first_sect + 1u) * BLK_SECTOR,
        };
    }
    job->page_count = (uint16_t)count;
    job->io.sectors = sectors;
    job->io.span_count = count;
}

/* An indirect request's segments: copied once out of their page, then treated like direct ones. */
static void job_read_indirect(struct blk_back *b, struct blk_job *job)
{
    struct blkif_request_segment segments[BLK_SEGMENTS_MAX];
    uint32_t count = job->io.span_count;

    if (!blk_pages_is_mapped(&b->pages, job->indirect_page)) {
        job_fail(job, BLKIF_RSP_ERROR);
        return;
    }
    shm_copy_in(segments, blk_pages_address(&b->pages, job->indirect_page),
                count * sizeof(segments[0]));
    job_get_segments(b, job, segments, count);
}

/* One request out of the ring: decoded, and its first pages taken. */
static void job_take(struct blk_back *b, struct blk_queue *q)
{
    struct blk_job *job = job_alloc(b);
    struct blkif_request raw;
    struct blk_request r;

    ring_back_take(&q->ring, &raw);
    b->requests++;
    int16_t status = blk_request_decode(&r, &raw, &b->volume);

    job->id = r.id;
    job->operation = r.operation;
    job->io.op = r.op;
    job->io.sector = r.sector;
    job->io.sectors = r.sectors;
    blk_queue_push(q, job);
    if (status != BLKIF_RSP_OKAY) {
        job_fail(job, status);
    } else if (r.indirect) {
        if (!blk_pages_reserve(&b->pages, b->batch, 1)) {
            job_fail(job, BLKIF_RSP_ERROR);
            return;
        }
        job->indirect_page = blk_pages_get(&b->pages, b->batch, r.indirect_ref, true);
        job->io.span_count = r.segment_count;
    } else if (r.segment_count > 0) {
        job_get_segments(b, job, r.segments, r.segment_count);
    }
}

/* Gives a job to the disk, with everything mapped. */
static void job_submit(struct blk_back *b, struct blk_job *job)
{
    for (uint32_t i = 0; i < job->page_count; i++) {
        if (!blk_pages_is_mapped(&b->pages, job->pages[i])) {
            job_fail(job, BLKIF_RSP_ERROR);
            return;
        }
        job->spans[i].dma += b->pages.pages[job->pages[i]].dma;
    }
    /* Without a cache to flush there is nothing to do. */
    if (job->io.op == BLK_FLUSH && !b->volume.disk->has_flush) {
        job->io.done = true;
        return;
    }
    job->io.sector += b->volume.first;
    b->volume.disk->driver->submit(b->volume.disk, &job->io);
}

/* The first job of a queue that is not done yet; NULL: none. */
static struct blk_job *queue_undone(const struct blk_queue *q)
{
    struct blk_job *job = q->first;

    while (job && job->io.done)
        job = job->next;
    return job;
}

/*
 * A disk's flush covers only writes that it has finished. Answers come in ring
 * order, so that a front end may take a flush to cover what it asked for before:
 * it goes to the disk when all of that is done.
 */
static void queue_submit_held(struct blk_back *b, const struct blk_queue *q)
{
    struct blk_job *job = queue_undone(q);

    if (job && job->held) {
        job->held = false;
        job_submit(b, job);
    }
}

static void jobs_submit(struct blk_back *b, struct blk_job **taken, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        taken[i]->held = !taken[i]->io.done && taken[i]->io.op == BLK_FLUSH;
        if (!taken[i]->io.done && !taken[i]->held)
            job_submit(b, taken[i]);
    }
    for (uint32_t i = 0; i < b->queue_count; i++)
        queue_submit_held(b, &b->queues[i]);
}

/* Requests of one queue that can be taken now; breaks the device if its index is no index. */
static uint32_t queue_ready(struct blk_back *b, struct blk_queue *q)
{
    int pending = ring_back_pending(&q->ring);

    if (pending < 0) {
        b->broken = "claims more requests than its ring has";
        return 0;
    }
    return (uint32_t)pending;
}

/* Every queue has its share of jobs, so that none takes them all. */
static bool queue_has_room(const struct blk_back *b, const struct blk_queue *q)
{
    return q->flying < BLK_JOBS_MAX / b->queue_count;
}

/*
 * Takes as many requests as there is room for, all of them mapped by one call,
 * or by two if there are indirect ones.
 */
static uint32_t round_take(struct blk_back *b, struct blk_job **taken)
{
    uint32_t count = 0, worst = 0;

    b->starved = false;
    for (uint32_t i = 0; i < b->queue_count && !b->broken; i++) {
        struct blk_queue *q = &b->queues[i];

        for (uint32_t ready = queue_ready(b, q); ready > 0 && queue_has_room(b, q); ready--) {
            if (!blk_pages_reserve(&b->pages, b->batch, worst + JOB_PAGES_MAX)) {
                b->starved = true;
                return count;
            }
            blk_pages_release(&b->pages, worst + JOB_PAGES_MAX);
            job_take(b, q);
            taken[count++] = q->last;
            if (q->last->indirect_page != BLK_PAGES_NONE)
                worst += BLK_SEGMENTS_MAX;
        }
    }
    return count;
}

/*
 * Asks every front end for an event, with a last look: whether there is more to
 * take. What there is no room for is looked at again after the next answer.
 */
static bool queues_rest(struct blk_back *b)
{
    bool more = false;

    for (uint32_t i = 0; i < b->queue_count && !b->broken; i++) {
        struct blk_queue *q = &b->queues[i];
        int pending = ring_back_rest(&q->ring);

        if (pending < 0)
            b->broken = "claims more requests than its ring has";
        more = more || (pending > 0 && queue_has_room(b, q) && !b->starved);
    }
    return more;
}

bool blk_back_take(struct blk_back *b)
{
    struct blk_job *taken[BLK_JOBS_MAX];

    if (!b->connected || b->broken)
        return false;

    uint32_t count = round_take(b, taken);

    blk_pages_map(&b->pages, b->batch);
    for (uint32_t i = 0; i < count; i++)
        if (!taken[i]->io.done && taken[i]->indirect_page != BLK_PAGES_NONE)
            job_read_indirect(b, taken[i]);
    blk_pages_map(&b->pages, b->batch);
    jobs_submit(b, taken, count);

    return queues_rest(b) || count > 0;
}

/* Gives back the pages of every job that can be answered now; how many jobs that are. */
static uint32_t round_put(struct blk_back *b)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->queue_count; i++) {
        for (struct blk_job *job = b->queues[i].first; job && job->io.done; job = job->next) {
            for (uint32_t n = 0; n < job->page_count; n++)
                blk_pages_put(&b->pages, b->batch, job->pages[n]);
            if (job->indirect_page != BLK_PAGES_NONE)
                blk_pages_put(&b->pages, b->batch, job->indirect_page);
            job->page_count = 0;
            job->indirect_page = BLK_PAGES_NONE;
            job->put = true;
            count++;
        }
    }
    return count;
}

static void job_count(struct blk_counters *c, const struct blk_job *job)
{
    if (job->status != BLKIF_RSP_OKAY || job->io.result != BLK_DONE) {
        c->errors++;
        return;
    }
    switch (job->io.op) {
    case BLK_READ:
        c->reads++;
        c->sectors_read += job->io.sectors;
        break;
    case BLK_WRITE:
        c->writes++;
        c->sectors_written += job->io.sectors;
        break;
    case BLK_FLUSH: c->flushes++; break;
    case BLK_DISCARD: break;
    }
}

bool blk_back_answer(struct blk_back *b)
{
    if (!b->connected || b->broken)
        return false;
    for (uint32_t i = 0; i < b->queue_count; i++)
        queue_submit_held(b, &b->queues[i]);
    if (round_put(b) == 0)
        return false;
    /* No answer before the grants of its request are out of our hands. */
    blk_pages_unmap(&b->pages, b->batch);
    for (uint32_t i = 0; i < b->queue_count; i++) {
        struct blk_queue *q = &b->queues[i];

        if (!q->first || !q->first->put)
            continue;
        while (q->first && q->first->put) {
            job_count(&b->counters, q->first);
            job_free(b, blk_queue_answer(q));
        }
        if (ring_back_notify(&q->ring)) {
            b->events++;
            event_notify(b->ports[i]);
        }
    }
    return true;
}

bool blk_back_is_drained(const struct blk_back *b)
{
    for (uint32_t i = 0; b->connected && i < b->queue_count; i++)
        for (const struct blk_job *job = b->queues[i].first; job; job = job->next)
            if (!job->io.done && !job->held)
                return false;
    return true;
}
