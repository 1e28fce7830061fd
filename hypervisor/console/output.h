/* What goes out by the UART: lines of several writers, each named where its text begins. */
#pragma once

#include "console/console.h"
#include "util/lock.h"

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
