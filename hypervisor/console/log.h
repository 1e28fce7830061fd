/* The log: the last 64 KiB of the core's own lines. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOG_SIZE 65536u /* a power of two */

/* All bytes ever logged are numbered from 0; the ring keeps the last LOG_SIZE. */
void log_put(const char *text, size_t len);

/* Up to len bytes from number *from on, or from the oldest kept; moves *from behind them. */
size_t log_get(uint64_t *from, char *buf, size_t len);

/* Bytes ever logged. */
uint64_t log_end(void);
