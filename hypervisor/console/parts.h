/*
 * What the files of the console share.
 *
 * output.c  the stream to the UART: lines of several writers, each named where its text begins
 * unsent.c  what of it waits to be sent
 * input.c   what is typed: to exactly one of the prompt and the attached domain
 * log.c     the last 64 KiB of the core's own lines
 * limit.c   how much an unprivileged domain may make the core print by itself: a token bucket
 * escape.c  makes a stream of hostile bytes harmless: printable UTF-8 and line feeds stay, the
 *           rest is \xNN
 */
#pragma once

#include "console/console.h"
#include "util/lock.h"

/* ---- output ---------------------------------------------------------------------------- */

/* The log, the output state, the typed bytes. */
extern struct lock console_lock;

#define OUTPUT_CORE 0x10000u /* beside the domains' ids */

enum output_form {
    OUTPUT_SAFE, /* escaped; the caller's stream holds what is not complete */
    OUTPUT_TEXT, /* as it is; a line feed is a new line */
    OUTPUT_RAW   /* as it is, to the last byte: an attached guest */
};

struct output_writer {
    unsigned id; /* domain id or OUTPUT_CORE */
    const char *name;
    bool prefix; /* its lines begin with [name] */
    enum output_form form;
    struct console_stream *stream; /* for OUTPUT_SAFE */
};

/* Lock held. */
void output_write(const struct output_writer *w, const char *text, size_t len);

/* After a full-screen session: the terminal as it was, at the beginning of a line. */
void output_reset(void);

bool output_headless(void);

/* The next bytes of the stream. */
void unsent_put(const char *text, size_t len);

/* ---- input ----------------------------------------------------------------------------- */

/* All with console_lock held. */

/* Takes in what the UART has; true if someone is to be told (VIRQ_CONSOLE). */
bool input_receive(void);

/* Bytes for the prompt, a line at most, or for the attached domain. */
size_t input_take(bool attached, char *buf, size_t len);

/*
 * From now on the domain gets what is typed, also what was typed before and that
 * the prompt has not taken: it stood behind the command to attach.
 */
void input_attach(uint16_t domid);
void input_detach(void);

/* DOMID_INVALID: nobody is attached. */
uint16_t input_attached(void);

/* Counts attachments and their ends. */
uint32_t input_session(void);

/* ---- log ------------------------------------------------------------------------------- */

#define LOG_SIZE 65536u /* a power of two */

/* All bytes ever logged are numbered from 0; the ring keeps the last LOG_SIZE. */
void log_put(const char *text, size_t len);

/* Up to len bytes from number *from on, or from the oldest kept; moves *from behind them. */
size_t log_get(uint64_t *from, char *buf, size_t len);

/* Bytes ever logged. */
uint64_t log_end(void);

/* ---- limit ----------------------------------------------------------------------------- */

#define LIMIT_BURST 65536u /* bytes at once */
#define LIMIT_RATE  16384u /* and so many per second */

/* How many of len bytes may be shown now; the rest is counted as dropped. */
uint32_t limit_take(struct console_limit *l, uint64_t now, uint32_t len);

/* Dropped since the last call; 0 as long as there is no room to say so. */
uint64_t limit_report(struct console_limit *l, uint64_t now);

/* ---- escape ---------------------------------------------------------------------------- */

#define ESCAPE_MAX 24u

/*
 * Takes one byte of the stream and gives the bytes to show for it and for what
 * was held back before it: at most ESCAPE_MAX. A carriage return before a line
 * feed is dropped. An escape of any byte never contains a line feed.
 */
size_t escape_byte(struct console_stream *s, uint8_t byte, char out[ESCAPE_MAX]);
