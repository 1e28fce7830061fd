/* The domain's log: lines on the core's console, before and beside the PV console. */
#ifndef RT_LOG_H
#define RT_LOG_H

#include <stdbool.h>

/* printf to the domain's console; a line without its newline. Never allocates. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * While a domain's lines are held, 2 KiB of them at most, they are not shown: a
 * UART is slow, and somebody may wait for what comes next. Its end shows them.
 */
void log_hold(bool on);

#endif
