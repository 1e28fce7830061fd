/* A block request, copied out of the ring: decoded and checked. Pure. */
#ifndef BLK_REQUEST_H
#define BLK_REQUEST_H

#include <abi/blk.h>

#include <blk_disk.h>

/* Segments of one request that are accepted, told as feature-max-indirect-segments. */
#define BLK_SEGMENTS_MAX      64u
#define BLK_SEGMENTS_PER_PAGE 512u

struct blk_request {
    uint64_t id;
    uint8_t operation; /* what the answer repeats: of an indirect request, the inner one */
    enum blk_op op;
    uint64_t sector;  /* on the volume */
    uint64_t sectors; /* of a discard */
    uint32_t segment_count;
    bool indirect; /* the segments lie in a granted page */
    grant_ref_t indirect_ref;
    const struct blkif_request_segment *segments; /* else here, inside the raw request */
};

/*
 * Decodes a request. BLKIF_RSP_OKAY, or the status to answer with; id and
 * operation are filled in in any case. raw is a private copy and must live as
 * long as the result.
 */
int16_t blk_request_decode(struct blk_request *r, const struct blkif_request *raw,
                           const struct blk_volume *volume);

/* Whether one segment names sectors inside its page, and whole blocks of the disk. */
bool blk_request_segment_is_good(const struct blkif_request_segment *segment);

/* Whether so many sectors from the start given lie on the volume, in whole blocks. */
bool blk_request_range_is_good(const struct blk_volume *volume, uint64_t sector, uint64_t sectors);

#endif
