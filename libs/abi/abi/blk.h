/* The block protocol's rings: blkif. */
#ifndef ABI_BLK_H
#define ABI_BLK_H

#include <abi/xen.h>

#include <xen/grant_table.h>

#include <xen/io/blkif.h>

#include <xen/io/protocols.h>

_Static_assert(sizeof(struct blkif_request) == 112, "request");
_Static_assert(offsetof(struct blkif_request, id) == 8, "request id");
_Static_assert(offsetof(struct blkif_request, sector_number) == 16, "sector");
_Static_assert(offsetof(struct blkif_request, seg) == 24, "segments");
_Static_assert(sizeof(struct blkif_request_segment) == 8, "segment");
_Static_assert(offsetof(struct blkif_response, operation) == 8, "response");
_Static_assert(offsetof(struct blkif_response, status) == 10, "status");

/* Ring page: four indices, padding, then slots of a power of two. */
#define BLK_RING_HEADER 64u
#define BLK_SLOT_SIZE   112u

#endif
