/* The core's console: log lines, whose bytes are shown how, who gets what is typed. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

struct domain;

/* One line of the core's own (without newline): to the log ring and the UART. */
void console_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that a domain wrote, shown as the mode wants (docs: escaped and prefixed, or raw). */
void console_show(const struct domain *d, const char *text, size_t len, bool attached);

#endif
