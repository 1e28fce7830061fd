/* The core's console: log lines, whose bytes are shown how, who gets what is typed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct domain;

/* What a domain's stream of bytes carries from one piece to the next. All zero at first. */
struct console_stream {
    uint8_t pending[4]; /* a UTF-8 sequence that is not complete yet */
    uint8_t pending_len;
    bool cr; /* a carriage return that is shown only if no line feed follows */
};

/* How much a domain may still write by itself, in bytes, and when that was counted. All zero at
 * first. */
struct console_limit {
    uint64_t time;
    uint32_t used;
    uint64_t dropped;
};

/* A domain's part of the console: a member of struct domain. */
struct console_domain {
    struct console_stream stream;
    struct console_limit limit;
};

/* Chooses the form of output. */
void console_init(bool headless);

/* One line of the core's own (without newline): to the log ring and the UART. */
void console_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same when the machine is about to stop: waits for no lock. */
void console_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Sends a few bytes of what waits for the UART; false: nothing does, or not long
 * enough yet. idle: nothing else wants the CPU. Until its first call all is sent at
 * once. No lock held.
 */
bool console_send(bool idle);

/* When it is to be called on a CPU that is not idle (ns); CLOCK_NEVER: nothing waits. */
extern uint64_t console_due;

/* Sends all of it, and from now on all at once: the machine is about to stop. Waits for no lock. */
void console_flush(void);

/*
 * Bytes that a domain wrote: raw if it is attached to the terminal, escaped and
 * prefixed if not. d: NULL for a domain that is gone, whose console has outlived it.
 */
void console_show(uint16_t domid, struct domain *d, const char *text, size_t len, bool attached);

/* The UART has bytes: routes them. From its interrupt, or when there is room again. */
void console_receive(void);
