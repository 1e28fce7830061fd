/* Decodes block requests: everything that can be checked before memory is touched. */
#include "blk_request.h"

#include <string.h>

#include <abi/addr.h>

bool blk_request_segment_is_good(const struct blkif_request_segment *segment)
{
    return segment->first_sect <= segment->last_sect && segment->last_sect < PAGE_SIZE / BLK_SECTOR;
}

bool blk_request_range_is_good(const struct blk_volume *volume, uint64_t sector, uint64_t sectors)
{
    uint64_t mask = volume->disk->sector_size / BLK_SECTOR - 1;

    return sector <= volume->sectors && sectors <= volume->sectors - sector &&
           ((sector | sectors) & mask) == 0;
}

static int16_t decode_transfer(struct blk_request *r, const struct blkif_request *raw)
{
    r->sector = raw->sector_number;
    r->segment_count = raw->nr_segments;
    r->segments = raw->seg;
    if (r->segment_count == 0 || r->segment_count > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return BLKIF_RSP_ERROR;
    return BLKIF_RSP_OKAY;
}

static int16_t decode_indirect(struct blk_request *r, const struct blkif_request *raw)
{
    struct blkif_request_indirect in;

    memcpy(&in, raw, sizeof(in));
    r->operation = in.indirect_op;
    r->op = in.indirect_op == BLKIF_OP_WRITE ? BLK_WRITE : BLK_READ;
    r->sector = in.sector_number;
    r->segment_count = in.nr_segments;
    r->indirect = true;
    r->indirect_ref = in.indirect_grefs[0];
    if (in.indirect_op != BLKIF_OP_READ && in.indirect_op != BLKIF_OP_WRITE)
        return BLKIF_RSP_EOPNOTSUPP;
    if (r->segment_count == 0 || r->segment_count > BLK_SEGMENTS_MAX)
        return BLKIF_RSP_ERROR;
    return BLKIF_RSP_OKAY;
}

static int16_t decode_discard(struct blk_request *r, const struct blkif_request *raw,
                              const struct blk_volume *volume)
{
    struct blkif_request_discard in;

    memcpy(&in, raw, sizeof(in));
    r->sector = in.sector_number;
    r->sectors = in.nr_sectors;
    if (!volume->disk->has_discard || (in.flag & BLKIF_DISCARD_SECURE))
        return BLKIF_RSP_EOPNOTSUPP;
    if (r->sectors == 0 || !blk_request_range_is_good(volume, r->sector, r->sectors))
        return BLKIF_RSP_ERROR;
    return BLKIF_RSP_OKAY;
}

int16_t blk_request_decode(struct blk_request *r, const struct blkif_request *raw,
                           const struct blk_volume *volume)
{
    int16_t status = BLKIF_RSP_EOPNOTSUPP;

    *r = (struct blk_request){.id = raw->id, .operation = raw->operation};
    switch (raw->operation) {
    case BLKIF_OP_READ:
        r->op = BLK_READ;
        status = decode_transfer(r, raw);
        break;
    case BLKIF_OP_WRITE:
        r->op = BLK_WRITE;
        status = decode_transfer(r, raw);
        break;
    case BLKIF_OP_FLUSH_DISKCACHE:
        /* Its sector means nothing. Data with it would be a write: send one. */
        r->op = BLK_FLUSH;
        status = raw->nr_segments == 0 ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
        break;
    case BLKIF_OP_DISCARD:
        r->op = BLK_DISCARD;
        status = decode_discard(r, raw, volume);
        break;
    case BLKIF_OP_INDIRECT: status = decode_indirect(r, raw); break;
    default: break;
    }
    if (status == BLKIF_RSP_OKAY && volume->read_only &&
        (r->op == BLK_WRITE || r->op == BLK_DISCARD))
        status = BLKIF_RSP_ERROR;
    return status;
}
