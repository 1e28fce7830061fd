/*
 * Machine frames: who owns which, and when it is free.
 *
 * A frame of a domain is born with one reference, which stands for its place in
 * the owner's p2m. Everyone else who reaches it (a grant mapping, a registered
 * area, a window) holds one more; the last to drop it frees the frame.
 */
#pragma once

#include <abi/addr.h>

#include "util/check.h"

#define FRAME_ORDER_2M 9u
#define FRAME_ORDER_1G 18u

enum frame_kind {
    FRAME_ABSENT, /* no RAM, or firmware's */
    FRAME_FREE,
    FRAME_CORE,   /* image and pool: never given to domains */
    FRAME_DOMAIN, /* RAM of the domain `owner` */
    FRAME_BUNDLE  /* of the bundle: read by the control domain, never freed */
};

/* A run of RAM as the loader reports it, in bytes; need not be sorted or aligned. */
struct memory_range {
    uint64_t start, end;
};

/*
 * 1 << order frames for a domain, aligned to their size, zeroed, one reference
 * each. FRAME_NONE if there is no such block.
 */
MUST_USE mfn_t frame_alloc(uint16_t owner, unsigned order);

/* The same with those very frames: FRAME_NONE if some are not free, or first is not aligned. */
MUST_USE mfn_t frame_claim(uint16_t owner, mfn_t first, unsigned order);

/* One more reference on a frame that somebody is known to hold. */
void frame_get(mfn_t mfn);

/* Drops one; the last frees the frame (it is scrubbed before its next use). */
void frame_put(mfn_t mfn);

/* The same for frames side by side, which may have different kinds and holders. */
void frame_put_run(mfn_t first, uint64_t count);

/* The frame's kind, and its owner if it is FRAME_DOMAIN. Any mfn may be asked for. */
enum frame_kind frame_kind(mfn_t mfn, uint16_t *owner);

uint64_t frame_total(void); /* frames of RAM found */
uint64_t frame_free(void);  /* frames free for domains */

/* Whether there may be free frames to clean. */
bool frame_is_dirty(void);

/* Cleans some free frames while the CPU has nothing better to do; false: all are clean. */
bool frame_scrub(void);
