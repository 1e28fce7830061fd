/*
 * A line being typed: editing and history. Pure: bytes in, what the terminal
 * must be sent out. Without echo it only collects the line.
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#define EDIT_LEN_MAX 511
#define EDIT_HISTORY 32
#define EDIT_OUT_MAX 1024

/* What a terminal is taken to be wide; a longer line scrolls sideways. */
#define EDIT_COLUMNS 80

enum edit_result {
    EDIT_MORE,  /* nothing to do */
    EDIT_LINE,  /* e->line is complete; edit_clear before the next byte */
    EDIT_TAB,   /* complete the word at the cursor */
    EDIT_BREAK, /* ^C: the line was thrown away */
};

struct edit {
    const char *prompt; /* printable ASCII */
    bool echo;
    char line[EDIT_LEN_MAX + 1]; /* NUL-terminated */
    unsigned len;
    unsigned cursor;

    char history[EDIT_HISTORY][EDIT_LEN_MAX + 1];
    unsigned history_count;
    unsigned history_at; /* history_count: the line itself */
    char draft[EDIT_LEN_MAX + 1];

    enum { ESCAPE_NONE, ESCAPE_START, ESCAPE_CODE } escape;
    uint8_t parameter; /* first digit of an escape code */
    bool was_return;   /* a newline now belongs to it */

    char out[EDIT_OUT_MAX]; /* to be sent and set to none by the caller */
    unsigned out_len;
};

void edit_init(struct edit *e, const char *prompt, bool echo);

/* One byte from the terminal. */
enum edit_result edit_byte(struct edit *e, uint8_t byte);

/* The line was used: into the history, and an empty one begins. Shows nothing. */
void edit_clear(struct edit *e);

/* Shows prompt and line anew. */
void edit_show(struct edit *e);

/* Inserts text at the cursor, as if typed. */
void edit_insert(struct edit *e, const char *text);

#endif
