/*
 * Short-lived views of frames that the core does not map: two of each CPU, one
 * frame at a time in each, closed on the same CPU before it schedules, never used
 * from an interrupt. The caller holds a reference on the frame as long, or reads
 * the p2m (p2m_read_begin).
 */
#pragma once

#include <arch/peek.h>

/* Gives this CPU its windows, once its tables are in force. */
void window_init(void);
