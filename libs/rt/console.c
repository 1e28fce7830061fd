/* The domain's lines on the core's console. No C library: faults are told by it too. */
#include "internal.h"

#include <rt/log.h>

#include <hcall.h>

#define LINE_MAX_LEN 256
#define HELD_MAX     2048

static char line[LINE_MAX_LEN];
static size_t used;

/* Whole lines that are to be shown when there is time for it. */
static char held[HELD_MAX];
static size_t held_len;
static bool holds;

static void show(const char *text, size_t *len)
{
    if (*len > 0)
        (void)hcall_console_write(text, (unsigned)*len);
    *len = 0;
}

void console_flush(void)
{
    life_log(line, used);
    show(held, &held_len);
    show(line, &used);
}

static void line_end(void)
{
    if (!holds || used > HELD_MAX - held_len) {
        console_flush();
        return;
    }
    life_log(line, used);
    for (size_t i = 0; i < used; i++)
        held[held_len++] = line[i];
    used = 0;
}

void log_hold(bool on)
{
    holds = on;
    if (!on)
        console_flush();
}

void console_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        line[used++] = text[i];
        if (text[i] == '\n' || used == sizeof(line))
            line_end();
    }
}

void console_text(const char *text)
{
    size_t len = 0;

    while (text[len] != 0)
        len++;
    console_write(text, len);
}

void console_hex(uint64_t v, unsigned digits)
{
    while (digits-- > 0)
        console_write(&"0123456789abcdef"[v >> (digits * 4) & 15], 1);
}

void die_shutdown(unsigned reason)
{
    struct sched_shutdown arg = {.reason = reason};

    console_flush();
    (void)hcall_sched_shutdown(&arg);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* From where: behind the frame that this function is made to have. */
void die(const char *why)
{
    const uint64_t *frame = __builtin_frame_address(0);

    life_word(LIFE_WORD, why, frame[1], (uint64_t)(uintptr_t)(frame + 2), frame[0]);
    console_text("runtime: ");
    console_text(why);
    console_text("\n");
    die_shutdown(SHUTDOWN_crash);
}
