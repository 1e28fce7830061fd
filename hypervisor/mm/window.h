/*
 * Short-lived views of frames that the core does not map: per CPU, WINDOW_COUNT
 * of them, unmapped on the same CPU before it schedules, never used from an
 * interrupt. The caller holds a reference on the frame as long.
 */
#ifndef MM_WINDOW_H
#define MM_WINDOW_H

#include <abi/addr.h>

#define WINDOW_COUNT 16u

/* Never fails: running out of slots is a bug of ours (CHECK). */
void *window_map(mfn_t mfn);
void window_unmap(const void *p);

/* Gives this CPU its quick windows (arch/peek.h), once its tables are in force. */
void window_init(void);

#endif
