/* The domain's log: lines on the core's console, before and beside the PV console. */
#ifndef RT_LOG_H
#define RT_LOG_H

/* printf to the domain's console; a line without its newline. Never allocates. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
