/* Keys in, lines and a terminal's picture out. */
#include "edit.h"

#include <string.h>

#include <check.h>

static struct edit e;

static enum edit_result type(const char *keys)
{
    enum edit_result result = EDIT_MORE;

    for (; *keys; keys++)
        result = edit_byte(&e, (uint8_t)*keys);
    return result;
}

static void begin(void)
{
    edit_init(&e, "bulkhead> ", true);
}

/* What an 80-column terminal's row looks like after the bytes that were sent. */
static void picture(char row[EDIT_COLUMNS + 1], unsigned *column)
{
    unsigned at = 0;

    memset(row, ' ', EDIT_COLUMNS);
    row[EDIT_COLUMNS] = 0;
    for (unsigned i = 0; i < e.out_len; i++) {
        unsigned n = 0;

        if (e.out[i] == '\r') {
            at = 0;
        } else if (e.out[i] == 0x1b) {
            for (i += 2; e.out[i] >= '0' && e.out[i] <= '9'; i++)
                n = n * 10 + (unsigned)(e.out[i] - '0');
            if (e.out[i] == 'C')
                at += n;
            else if (e.out[i] == 'K')
                memset(row + at, ' ', EDIT_COLUMNS - at);
        } else if (at < EDIT_COLUMNS) {
            row[at++] = e.out[i];
        }
    }
    *column = at;
}

TEST(plain_line)
{
    begin();
    EXPECT(type("list") == EDIT_MORE);
    EXPECT(strcmp(e.line, "list") == 0);
    EXPECT(e.out_len == 4 && memcmp(e.out, "list", 4) == 0);
    EXPECT(type("\r") == EDIT_LINE);
    edit_clear(&e);
    EXPECT(type("\n") == EDIT_MORE); /* the second half of CR LF */
    EXPECT(type("\n") == EDIT_LINE);
}

TEST(editing_keys)
{
    static const struct {
        const char *keys;
        const char *line;
        unsigned cursor;
    } cases[] = {
        {"abc\x7f", "ab", 2},
        {"abc\x01x", "xabc", 1},
        {"abc\x1b[D\x1b[Dx", "axbc", 2},
        {"abc\x1b[H\x1b[3~", "bc", 0},
        {"abc\x1b[1~\x1b[C\x0b", "a", 1},
        {"abc\x1bOHx\x1bOFy", "xabcy", 5},
        {"one two  three\x17", "one two  ", 9},
        {"one two  three\x17\x17", "one ", 4},
        {"abcdef\x02\x02\x15", "ef", 0},
        {"\x02\x7f\x04\x0b\x15\x17", "", 0},
        {"ab\x1b[31;1mcd", "abcd", 4},
        {"ab\x1b[99~c", "abc", 3},
        {"ab\xff\xc3\xa4\x00c", "ab", 2},
        {"ab\x1bzc", "abc", 3},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char row[EDIT_COLUMNS + 1];
        unsigned column;

        begin();
        type(cases[i].keys);
        EXPECT(strcmp(e.line, cases[i].line) == 0);
        EXPECT(e.cursor == cases[i].cursor && e.len == strlen(e.line));
        edit_show(&e);
        picture(row, &column);
        EXPECT(memcmp(row, "bulkhead> ", 10) == 0);
        EXPECT(memcmp(row + 10, e.line, e.len) == 0 && row[10 + e.len] == ' ');
        EXPECT(column == 10 + e.cursor);
    }
}

static void enter(const char *line)
{
    type(line);
    EXPECT(type("\r") == EDIT_LINE);
    edit_clear(&e);
}

TEST(history)
{
    begin();
    enter("one");
    enter("two");
    enter("two");
    enter("");
    type("draft\x1b[A");
    EXPECT(strcmp(e.line, "two") == 0);
    type("\x1b[A");
    EXPECT(strcmp(e.line, "one") == 0);
    type("\x10\x10");
    EXPECT(strcmp(e.line, "one") == 0);
    type("\x1b[B\x0e\x0e");
    EXPECT(strcmp(e.line, "draft") == 0 && e.cursor == 5);
    for (unsigned i = 0; i < 2 * EDIT_HISTORY; i++)
        enter(i % 2 ? "odd" : "even");
    EXPECT(e.history_count == EDIT_HISTORY);
    EXPECT(type("\x03") == EDIT_BREAK);
    EXPECT(e.len == 0 && e.history_at == EDIT_HISTORY);
}

TEST(long_line_scrolls)
{
    char row[EDIT_COLUMNS + 1];
    unsigned column;

    begin();
    for (unsigned i = 0; i < 2 * EDIT_LEN_MAX; i++) {
        e.out_len = 0;
        type("x");
    }
    EXPECT(e.len == EDIT_LEN_MAX && e.line[EDIT_LEN_MAX] == 0);
    edit_show(&e);
    picture(row, &column);
    EXPECT(column < EDIT_COLUMNS);
    type("\x01");
    picture(row, &column);
    EXPECT(column == 10 && row[11] == 'x');
}

TEST(without_echo)
{
    edit_init(&e, "bulkhead> ", false);
    EXPECT(type("store write /a \x1b[A\xc3\xa4\x03\n") == EDIT_LINE);
    EXPECT(strcmp(e.line, "store write /a \x1b[A\xc3\xa4\x03") == 0);
    EXPECT(e.out_len == 0);
    edit_clear(&e);
    EXPECT(e.history_count == 0);
}
