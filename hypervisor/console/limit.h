/* How much an unprivileged domain may make the core print by itself: a token bucket. */
#pragma once

#include "console/console.h"

#define LIMIT_BURST 65536u /* bytes at once */
#define LIMIT_RATE  16384u /* and so many per second */

/* How many of len bytes may be shown now; the rest is counted as dropped. */
uint32_t limit_take(struct console_limit *l, uint64_t now, uint32_t len);

/* Dropped since the last call; 0 as long as there is no room to say so. */
uint64_t limit_report(struct console_limit *l, uint64_t now);
