/* A small front end of a block device. */
#include "blk_front.h"

#include <string.h>

#include <abi/addr.h>

#include <hcall.h>

void blk_front_init(struct blk_front *f, void *pages, size_t page_count, evtchn_port_t port)
{
    ring_front_init(&f->ring, pages, page_count * PAGE_SIZE, BLK_SLOT_SIZE);
    f->port = port;
}

void blk_front_transfer(struct blk_front *f, uint64_t id, uint8_t operation, uint64_t sector,
                        const struct blkif_request_segment *segments, uint32_t count)
{
    struct blkif_request r;

    memset(&r, 0, sizeof(r));
    r.operation = operation;
    r.nr_segments = (uint8_t)count;
    r.id = id;
    r.sector_number = sector;
    if (segments && count <= BLKIF_MAX_SEGMENTS_PER_REQUEST)
        memcpy(r.seg, segments, count * sizeof(segments[0]));
    ring_front_ask(&f->ring, &r, sizeof(r));
}

void blk_front_indirect(struct blk_front *f, uint64_t id, uint8_t operation, uint64_t sector,
                        grant_ref_t page, uint32_t count)
{
    struct blkif_request_indirect r;

    memset(&r, 0, sizeof(r));
    r.operation = BLKIF_OP_INDIRECT;
    r.indirect_op = operation;
    r.nr_segments = (uint16_t)count;
    r.id = id;
    r.sector_number = sector;
    r.indirect_grefs[0] = page;
    ring_front_ask(&f->ring, &r, sizeof(r));
}

void blk_front_flush(struct blk_front *f, uint64_t id)
{
    blk_front_transfer(f, id, BLKIF_OP_FLUSH_DISKCACHE, 0, NULL, 0);
}

void blk_front_discard(struct blk_front *f, uint64_t id, uint64_t sector, uint64_t sectors)
{
    struct blkif_request_discard r;

    memset(&r, 0, sizeof(r));
    r.operation = BLKIF_OP_DISCARD;
    r.id = id;
    r.sector_number = sector;
    r.nr_sectors = sectors;
    ring_front_ask(&f->ring, &r, sizeof(r));
}

void blk_front_kick(struct blk_front *f)
{
    if (ring_front_publish(&f->ring))
        (void)hcall_event_send(&(struct evtchn_send){.port = f->port});
}

int blk_front_answer(struct blk_front *f, struct blkif_response *r)
{
    int pending = ring_front_rest(&f->ring);

    if (pending <= 0)
        return pending;
    ring_front_take(&f->ring, r, sizeof(*r));
    return 1;
}
