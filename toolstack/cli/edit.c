/* Line editing with the keys of a terminal, and a history. */
#include "edit.h"

#include <stdio.h>
#include <string.h>

#define CTRL(c)    ((c) - '@')
#define KEY_ESCAPE 0x1b
#define KEY_DELETE 0x7f

void edit_init(struct edit *e, const char *prompt, bool echo)
{
    memset(e, 0, sizeof(*e));
    e->prompt = prompt;
    e->echo = echo;
}

static void put(struct edit *e, const char *text, size_t len)
{
    if (!e->echo || len > sizeof(e->out) - e->out_len)
        return;
    memcpy(e->out + e->out_len, text, len);
    e->out_len += (unsigned)len;
}

/* Prompt, the part of the line around the cursor, the cursor in its place: one row, always. */
void edit_show(struct edit *e)
{
    unsigned prompt_len = (unsigned)strlen(e->prompt);
    unsigned room = EDIT_COLUMNS - 1 - prompt_len;
    unsigned from = e->cursor > room ? e->cursor - room : 0;
    unsigned count = e->len - from < room ? e->len - from : room;
    char move[16];
    int len = snprintf(move, sizeof(move), "\r\x1b[%uC", prompt_len + e->cursor - from);

    /* An unsent older picture is of no use. */
    if (EDIT_OUT_MAX - e->out_len < EDIT_COLUMNS + 32)
        e->out_len = 0;
    put(e, "\r", 1);
    put(e, e->prompt, prompt_len);
    put(e, e->line + from, count);
    put(e, "\x1b[K", 3);
    if (e->cursor < e->len)
        put(e, move, (size_t)len);
}

static void remove_range(struct edit *e, unsigned from, unsigned to)
{
    memmove(e->line + from, e->line + to, e->len - to + 1);
    e->len -= to - from;
    e->cursor = from;
    edit_show(e);
}

static void insert(struct edit *e, char c)
{
    if (e->len == EDIT_LEN_MAX)
        return;
    memmove(e->line + e->cursor + 1, e->line + e->cursor, e->len - e->cursor + 1);
    e->line[e->cursor++] = c;
    e->len++;
    /* At the end of a short line the character itself is the whole change. */
    if (e->cursor == e->len && strlen(e->prompt) + e->len < EDIT_COLUMNS - 1)
        put(e, &c, 1);
    else
        edit_show(e);
}

void edit_insert(struct edit *e, const char *text)
{
    for (; *text; text++)
        insert(e, *text);
}

static void move_to(struct edit *e, unsigned cursor)
{
    e->cursor = cursor;
    edit_show(e);
}

static void take_line(struct edit *e, const char *from)
{
    e->len = (unsigned)strlen(from);
    memcpy(e->line, from, e->len + 1);
    move_to(e, e->len);
}

static void go_back(struct edit *e)
{
    if (e->history_at == 0)
        return;
    if (e->history_at == e->history_count)
        memcpy(e->draft, e->line, e->len + 1);
    take_line(e, e->history[--e->history_at]);
}

static void go_forth(struct edit *e)
{
    if (e->history_at == e->history_count)
        return;
    e->history_at++;
    take_line(e, e->history_at == e->history_count ? e->draft : e->history[e->history_at]);
}

static void remember(struct edit *e)
{
    if (e->len == 0 ||
        (e->history_count > 0 && strcmp(e->history[e->history_count - 1], e->line) == 0))
        return;
    if (e->history_count == EDIT_HISTORY) {
        memmove(e->history[0], e->history[1], sizeof(e->history) - sizeof(e->history[0]));
        e->history_count--;
    }
    memcpy(e->history[e->history_count++], e->line, e->len + 1);
}

void edit_clear(struct edit *e)
{
    if (e->echo)
        remember(e);
    e->len = 0;
    e->cursor = 0;
    e->line[0] = 0;
    e->history_at = e->history_count;
}

static unsigned word_start(const struct edit *e)
{
    unsigned at = e->cursor;

    while (at > 0 && e->line[at - 1] == ' ')
        at--;
    while (at > 0 && e->line[at - 1] != ' ')
        at--;
    return at;
}

static void move_left(struct edit *e)
{
    if (e->cursor > 0)
        move_to(e, e->cursor - 1);
}

static void move_right(struct edit *e)
{
    if (e->cursor < e->len)
        move_to(e, e->cursor + 1);
}

static void delete_left(struct edit *e)
{
    if (e->cursor > 0)
        remove_range(e, e->cursor - 1, e->cursor);
}

static void delete_here(struct edit *e)
{
    if (e->cursor < e->len)
        remove_range(e, e->cursor, e->cursor + 1);
}

/* The last byte of ESC [ ... or ESC O .: a cursor key or an editing key. */
static void escape_end(struct edit *e, uint8_t byte)
{
    switch (byte) {
    case 'A': go_back(e); break;
    case 'B': go_forth(e); break;
    case 'C': move_right(e); break;
    case 'D': move_left(e); break;
    case 'H': move_to(e, 0); break;
    case 'F': move_to(e, e->len); break;
    case '~':
        if (e->parameter == '1' || e->parameter == '7')
            move_to(e, 0);
        else if (e->parameter == '4' || e->parameter == '8')
            move_to(e, e->len);
        else if (e->parameter == '3')
            delete_here(e);
        break;
    default: break;
    }
}

static void escape_byte(struct edit *e, uint8_t byte)
{
    if (e->escape == ESCAPE_START) {
        e->escape = byte == '[' || byte == 'O' ? ESCAPE_CODE : ESCAPE_NONE;
        e->parameter = 0;
        return;
    }
    /* Parameters and intermediates; keys with several digits are none of ours. */
    if (byte >= 0x20 && byte < 0x40) {
        e->parameter = e->parameter == 0 ? byte : 0xff;
        return;
    }
    e->escape = ESCAPE_NONE;
    escape_end(e, byte);
}

static void control_byte(struct edit *e, uint8_t byte)
{
    switch (byte) {
    case CTRL('A'): move_to(e, 0); break;
    case CTRL('B'): move_left(e); break;
    case CTRL('D'): delete_here(e); break;
    case CTRL('E'): move_to(e, e->len); break;
    case CTRL('F'): move_right(e); break;
    case CTRL('H'):
    case KEY_DELETE: delete_left(e); break;
    case CTRL('K'): remove_range(e, e->cursor, e->len); break;
    case CTRL('L'): edit_show(e); break;
    case CTRL('N'): go_forth(e); break;
    case CTRL('P'): go_back(e); break;
    case CTRL('U'): remove_range(e, 0, e->cursor); break;
    case CTRL('W'): remove_range(e, word_start(e), e->cursor); break;
    case KEY_ESCAPE: e->escape = ESCAPE_START; break;
    default: break;
    }
}

enum edit_result edit_byte(struct edit *e, uint8_t byte)
{
    bool was_return = e->was_return;

    e->was_return = byte == '\r';
    if (byte == '\r' || byte == '\n') {
        e->escape = ESCAPE_NONE;
        if (byte == '\n' && was_return)
            return EDIT_MORE;
        put(e, "\n", 1);
        return EDIT_LINE;
    }
    if (!e->echo) {
        if (byte != 0)
            insert(e, (char)byte);
        return EDIT_MORE;
    }
    if (byte == CTRL('C')) {
        e->escape = ESCAPE_NONE;
        put(e, "^C\n", 3);
        e->len = 0;
        edit_clear(e);
        return EDIT_BREAK;
    }
    if (e->escape != ESCAPE_NONE)
        escape_byte(e, byte);
    else if (byte == '\t')
        return EDIT_TAB;
    else if (byte >= 0x20 && byte < KEY_DELETE)
        insert(e, (char)byte);
    else
        control_byte(e, byte);
    return EDIT_MORE;
}
