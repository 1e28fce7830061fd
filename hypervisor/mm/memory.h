/* The start of memory management, in one call. */
#pragma once

#include "boot/handoff.h"
#include "util/check.h"

/*
 * Plans, builds the core's own page tables and goes over to them, fills the
 * frame table, starts the pool. The loader's memory is gone afterwards; the
 * module's frames are FRAME_BUNDLE. -XEN_ENOMEM with a logged line.
 */
MUST_USE int memory_init(struct handoff *h);
