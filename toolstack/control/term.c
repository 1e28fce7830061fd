/* The terminal: lines in, text out, and a prompt that messages do not tear apart. */
#include "control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/console.h>
#include <cli/escape.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/start.h>

#define CTRL_C 3

/* What is typed while a verb waits, until it is done. */
#define AHEAD_MAX 1024

/* What would be written over a domain's screen, or is not urgent, kept until it may be shown. */
#define HELD_MAX 4096

#define HURRY_NS 100000000u

static struct {
    struct cli *cli;
    struct edit edit;
    bool shown; /* the prompt stands in the last row */
    unsigned ahead_len;
    uint8_t ahead[AHEAD_MAX];
    uint64_t hurry_end; /* until when nothing is shown; 0: there is no hurry */
    unsigned held_len;
    char held[HELD_MAX];
} term;

static void send(const char *text, size_t len)
{
    while (len > 0) {
        unsigned piece = len > 1024 ? 1024 : (unsigned)len;

        if (hcall_console_write(text, piece) < 0)
            return;
        text += piece;
        len -= piece;
    }
}

static void send_edit(void)
{
    send(term.edit.out, term.edit.out_len);
    term.edit.out_len = 0;
}

/* Not into the middle of a line that is being typed. */
static void send_lines(const char *text, size_t len)
{
    if (term.shown)
        send("\r\x1b[K", 4);
    term.shown = false;
    send(text, len);
}

static bool screen_is_taken(void)
{
    return term.cli->attached && !term.cli->headless;
}

static void release(void)
{
    if (screen_is_taken() || term.hurry_end != 0 || term.held_len == 0)
        return;
    send_lines(term.held, term.held_len);
    term.held_len = 0;
}

void supervise_hurry(bool on)
{
    term.hurry_end = on ? clock_now() + HURRY_NS : 0;
    release();
}

uint64_t term_due(void)
{
    if (term.hurry_end == 0)
        return EVENT_FOREVER;
    if (clock_now() < term.hurry_end)
        return term.hurry_end;
    supervise_hurry(false);
    return EVENT_FOREVER;
}

/* Text for the user: not over a domain's screen, nor while there is a hurry. */
static void show(const char *text, size_t len)
{
    if (term.hurry_end != 0 && term.held_len + len > HELD_MAX)
        supervise_hurry(false);
    if (!screen_is_taken() && term.hurry_end == 0) {
        send_lines(text, len);
        return;
    }
    /* When it is too much, the oldest goes. */
    if (len > HELD_MAX)
        return;
    if (term.held_len + len > HELD_MAX)
        term.held_len = 0;
    memcpy(term.held + term.held_len, text, len);
    term.held_len += (unsigned)len;
}

/* Escapes all but newlines, line by line. */
static void show_escaped(const char *text, size_t len)
{
    char out[512];

    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end ? (size_t)(end - text) : len;
        size_t part = line > 100 ? 100 : line;
        size_t used;

        /* A character is not cut in two: the cut goes before its first byte. */
        while (part < line && part > 90 && ((unsigned char)text[part] & 0xc0) == 0x80)
            part--;
        used = escape_text(out, sizeof(out) - 1, text, part);
        if (part == line && end) {
            out[used++] = '\n';
            part++;
        }
        show(out, used);
        text += part;
        len -= part;
    }
}

static void show_format(const char *format, va_list args)
{
    char *text;
    int len = vasprintf(&text, format, args);

    if (len < 0)
        return;
    show_escaped(text, (size_t)len);
    free(text);
}

void cli_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    show_format(format, args);
    va_end(args);
}

int cli_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    cli_print("error: ");
    show_format(format, args);
    cli_print("\n");
    va_end(args);
    return -1;
}

void supervise_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    show_format(format, args);
    cli_print("\n");
    va_end(args);
}

/* Who has what is typed; DOMID_INVALID: we. */
static domid_t attached_domain(void)
{
    struct bulkhead_console_attach attach = {.domid = DOMID_INVALID};

    if (hcall_console_attach(&attach) < 0 || attach.domid == start_domid() ||
        attach.domid == DOMID_SELF)
        return DOMID_INVALID;
    return attach.domid;
}

int term_open(struct cli *cli)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_CONSOLE};
    int rc = hcall_event_bind_virq(&bind);

    term.cli = cli;
    cli->attached = attached_domain() != DOMID_INVALID;
    edit_init(&term.edit, "bulkhead> ", !cli->headless);
    if (rc >= 0)
        event_open(bind.port);
    return rc < 0 ? rc : 0;
}

void term_find_attachment(void)
{
    const struct supervise *s = term.cli->supervise;
    domid_t domid = attached_domain();

    for (size_t i = 0; domid != DOMID_INVALID && i < s->count; i++)
        if (s->entries[i]->domid == domid)
            return;
    console_move(domid, DOMID_SELF);
}

/* ^] gave the keys back to us. */
static void look_at_attachment(void)
{
    static const char left[] = "\n";

    if (!term.cli->attached || attached_domain() != DOMID_INVALID)
        return;
    term.cli->attached = false;
    term.shown = false;
    if (!term.cli->headless)
        send(left, sizeof(left) - 1);
    release();
}

void term_prompt(void)
{
    look_at_attachment();
    if (term.shown || term.cli->headless || term.cli->attached || term.cli->watching)
        return;
    edit_show(&term.edit);
    send_edit();
    term.shown = true;
}

static void end_watch(void)
{
    struct cli *cli = term.cli;

    (void)!store_unwatch(cli->supervise->store, "user", "%s", cli->watching);
    free(cli->watching);
    cli->watching = NULL;
}

static void run_line(void)
{
    char line[EDIT_LEN_MAX + 1];

    memcpy(line, term.edit.line, sizeof(line));
    edit_clear(&term.edit);
    /* What happened before this line is known before it runs. */
    (void)loop_settle(term.cli);
    if (term.cli->watching)
        end_watch();
    (void)cli_run(term.cli, line);
}

static void complete(void)
{
    const char *words[COMPLETE_MAX];
    size_t typed;
    size_t count = cli_complete(term.cli, term.edit.line, term.edit.cursor, words, &typed);
    size_t common = count > 0 ? strlen(words[0]) : 0;
    char more[EDIT_LEN_MAX + 1];

    for (size_t i = 1; i < count; i++)
        for (size_t n = 0; n < common; n++)
            if (words[i][n] != words[0][n])
                common = n;
    if (count == 0)
        return;
    if (count == 1 || common > typed) {
        (void)snprintf(more, sizeof(more), "%.*s%s", (int)(common - typed), words[0] + typed,
                       count == 1 ? " " : "");
        edit_insert(&term.edit, more);
        return;
    }
    for (size_t i = 0; i < count; i++)
        cli_print("%s%s", words[i], i + 1 < count ? "  " : "\n");
}

static void take_byte(uint8_t byte)
{
    enum edit_result result;

    /* Meant to leave a domain, which was gone already. */
    if (byte == CONSOLE_ESCAPE)
        return;
    result = edit_byte(&term.edit, byte);

    /* A newline leaves the prompt's row behind. */
    if (result == EDIT_LINE || result == EDIT_BREAK)
        term.shown = false;
    send_edit();
    if (result == EDIT_LINE)
        run_line();
    else if (result == EDIT_TAB)
        complete();
    else if (result == EDIT_BREAK && term.cli->watching)
        end_watch();
    send_edit();
}

/*
 * What is typed, byte by byte: first what was found while a verb waited. No more
 * is taken than the rest of a line: what stands behind a `console` is its domain's,
 * and the core passes it on if it is still there.
 */
static bool next_byte(uint8_t *byte)
{
    int got = (int)term.ahead_len;

    if (got == 0)
        got = hcall_console_read((char *)term.ahead, AHEAD_MAX);
    if (got <= 0)
        return false;
    term.ahead_len = (unsigned)got;
    *byte = term.ahead[0];
    /* A verb may wait and fill the buffer: it is in order before the verb runs. */
    memmove(term.ahead, term.ahead + 1, --term.ahead_len);
    return true;
}

/* What was typed while a verb waited can no more be passed on, and is nobody's command. */
static void drop_ahead(void)
{
    if (term.ahead_len == 0 || !term.cli->attached)
        return;
    cli_print("%u bytes that were typed ahead are dropped\n", term.ahead_len);
    term.ahead_len = 0;
}

void term_read(void)
{
    uint8_t byte;

    look_at_attachment();
    while (next_byte(&byte)) {
        take_byte(byte);
        drop_ahead();
    }
}

/* Into the buffer of what is typed ahead. */
static void fill(void)
{
    int got = 1;

    while (got > 0 && term.ahead_len < AHEAD_MAX) {
        got = hcall_console_read((char *)term.ahead + term.ahead_len, AHEAD_MAX - term.ahead_len);
        if (got > 0)
            term.ahead_len += (unsigned)got;
    }
}

bool term_is_broken(void)
{
    const uint8_t *at;

    /* Without a terminal ^C is a byte like any other. */
    if (term.cli->headless)
        return false;
    fill();
    at = memchr(term.ahead, CTRL_C, term.ahead_len);
    if (!at)
        return false;
    /* ^C takes with it what was typed before it. */
    term.ahead_len -= (unsigned)(at + 1 - term.ahead);
    memmove(term.ahead, at + 1, term.ahead_len);
    return true;
}
