/*
 * The stream to the UART. Its state is who wrote last and how far into the line:
 * another writer begins a new line, and lines begin with their writer's name
 * where the mode wants it.
 */
#include "console/parts.h"

#include <arch/clock.h>

#include "util/string.h"

/* A longer line is broken, so that its rest cannot pass for another's line. */
#define LINE_MAX 1024u
#define TEXT_MAX 512u

static struct {
    bool headless;
    unsigned writer;
    unsigned column;
    char last; /* byte sent */
    size_t used;
    char buf[256];
} out;

struct lock console_lock = LOCK_INIT(LOCK_CONSOLE);

void console_init(bool headless)
{
    out.headless = headless;
    out.writer = OUTPUT_CORE;
}

bool output_headless(void)
{
    return out.headless;
}

static void flush(void)
{
    unsent_put(out.buf, out.used);
    out.used = 0;
}

static void emit(char c)
{
    if (out.used == sizeof(out.buf))
        flush();
    out.buf[out.used++] = c;
    out.last = c;
}

/* A terminal wants the carriage back; a log file does not. */
static void new_line(void)
{
    if (!out.headless && out.last != '\r')
        emit('\r');
    emit('\n');
    out.column = 0;
}

static void prefix(const struct output_writer *w)
{
    emit('[');
    for (const char *p = w->name; *p; p++)
        emit(*p);
    emit(']');
    emit(' ');
}

static void put(const struct output_writer *w, char c)
{
    if (out.headless && c == '\r')
        return;
    if (w->form == OUTPUT_RAW && !out.headless) {
        emit(c);
        out.column = c == '\n' ? 0 : out.column + 1;
        return;
    }
    if (out.column == 0 && w->prefix)
        prefix(w);
    if (c == '\n') {
        new_line();
        return;
    }
    emit(c);
    out.column++;
    if (w->prefix && out.column >= LINE_MAX && ((uint8_t)c & 0xc0) != 0x80)
        new_line();
}

void output_write(const struct output_writer *w, const char *text, size_t len)
{
    char escaped[ESCAPE_MAX];

    if (len == 0)
        return;
    if (out.writer != w->id && out.column > 0)
        new_line();
    out.writer = w->id;
    for (size_t i = 0; i < len; i++) {
        if (w->form != OUTPUT_SAFE) {
            put(w, text[i]);
            continue;
        }
        size_t n = escape_byte(w->stream, (uint8_t)text[i], escaped);
        for (size_t k = 0; k < n; k++)
            put(w, escaped[k]);
    }
    flush();
}

void output_reset(void)
{
    static const char sane[] = "\033[0m\033[?25h\033[?7h\033[?1l\033[?1000l\033[?1049l\033>";

    if (out.headless)
        return;
    for (size_t i = 0; i + 1 < sizeof(sane); i++)
        emit(sane[i]);
    if (out.column > 0)
        new_line();
    flush();
}

/* One line of the core's own, to the ring with the time, to the terminal without. */
static void core_line(const char *format, va_list args)
{
    const struct output_writer core = {OUTPUT_CORE, "core", out.headless, OUTPUT_TEXT, NULL};
    char text[TEXT_MAX], stamp[32];
    uint64_t us = clock_now() / 1000;

    size_t len = string_vformat(text, sizeof(text) - 1, format, args);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    text[len++] = '\n';
    log_put(stamp,
            string_format(stamp, sizeof(stamp), "[%5lu.%06lu] ", us / 1000000, us % 1000000));
    log_put(text, len);
    output_write(&core, text, len);
}

void console_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lock_acquire(&console_lock);
    core_line(format, args);
    lock_release(&console_lock);
    va_end(args);
}

void console_panic(const char *format, ...)
{
    va_list args;

    console_flush();
    va_start(args, format);
    core_line(format, args);
    va_end(args);
}
