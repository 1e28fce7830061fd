#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "console/parts.h"

#include <arch/cpu.h>

#include <abi/console.h>
#include <abi/xen.h>

/* ---- escaping ------------------------------------------------------------------------ */

static const char *escape(const char *text, size_t len)
{
    static char shown[4096];
    struct console_stream s = {0};
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += escape_byte(&s, (uint8_t)text[i], shown + n);
    shown[n] = '\0';
    return shown;
}

#define ESCAPES(from, to) (strcmp(escape(from, sizeof(from) - 1), to) == 0)

TEST(printable_text_stays)
{
    EXPECT(ESCAPES("plain text ~", "plain text ~"));
    EXPECT(ESCAPES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    EXPECT(ESCAPES("two\nlines\n", "two\nlines\n"));
}

TEST(control_characters)
{
    EXPECT(ESCAPES("\033[6n", "\\x1b[6n"));
    EXPECT(ESCAPES("a\tb\ac\177", "a\\x09b\\x07c\\x7f"));
    EXPECT(ESCAPES("\302\2331m", "\\xc2\\x9b1m")); /* CSI as one C1 character */
}

TEST(carriage_returns)
{
    EXPECT(ESCAPES("a\r\nb", "a\nb"));
    EXPECT(ESCAPES("safe\rfake\n", "safe\\x0dfake\n"));
    EXPECT(ESCAPES("\r\r\n", "\\x0d\n"));
}

TEST(broken_utf8)
{
    EXPECT(ESCAPES("\xff\xfe", "\\xff\\xfe"));
    EXPECT(ESCAPES("\xc3x", "\\xc3x"));
    EXPECT(ESCAPES("\xe2\x82\n", "\\xe2\\x82\n"));
    EXPECT(ESCAPES("\xc0\xaf", "\\xc0\\xaf"));                   /* overlong */
    EXPECT(ESCAPES("\xe0\x80\xaf", "\\xe0\\x80\\xaf"));          /* overlong */
    EXPECT(ESCAPES("\xed\xa0\x80", "\\xed\\xa0\\x80"));          /* a surrogate */
    EXPECT(ESCAPES("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80")); /* past the last */
    EXPECT(ESCAPES("\xe2\x80\xae", "\\xe2\\x80\\xae"));          /* right to left override */
    EXPECT(ESCAPES("\x80", "\\x80"));
}

/* ---- output -------------------------------------------------------------------------- */

static void write_as(unsigned id, const char *name, bool prefix, enum output_form form,
                     const char *text)
{
    static struct console_stream stream[8];
    const struct output_writer w = {id, name, prefix, form, &stream[id & 7]};

    output_write(&w, text, strlen(text));
}

static bool sent(const char *expected)
{
    return strcmp(fake_uart_sent(), expected) == 0;
}

TEST(headless_prefixes)
{
    console_init(true);
    fake_uart_sent();
    write_as(1, "a", true, OUTPUT_SAFE, "one\ntw");
    write_as(1, "a", true, OUTPUT_SAFE, "o\r\n");
    EXPECT(sent("[a] one\n[a] two\n"));
    write_as(1, "a", true, OUTPUT_SAFE, "open");
    write_as(2, "b", true, OUTPUT_SAFE, "cut");
    write_as(1, "a", true, OUTPUT_SAFE, " on\n");
    EXPECT(sent("[a] open\n[b] cut\n[a]  on\n"));
    console_log("core %d", 1);
    EXPECT(sent("[core] core 1\n"));
    write_as(1, "a", true, OUTPUT_SAFE, "\n\n");
    EXPECT(sent("[a] \n[a] \n"));
}

TEST(a_name_cannot_be_forged)
{
    console_init(true);
    fake_uart_sent();
    write_as(1, "a", true, OUTPUT_SAFE, "x\r[core] forged\033[1A");
    write_as(2, "b", true, OUTPUT_SAFE, "\n");
    EXPECT(sent("[a] x\\x0d[core] forged\\x1b[1A\n[b] \n"));
}

TEST(long_lines_are_broken)
{
    char text[3000];

    console_init(true);
    fake_uart_sent();
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    write_as(1, "a", true, OUTPUT_SAFE, text);
    write_as(2, "b", true, OUTPUT_SAFE, "\n");
    const char *all = fake_uart_sent();
    unsigned prefixes = 0;
    for (const char *p = all; (p = strstr(p, "[a] ")) != NULL; p++)
        prefixes++;
    EXPECT(prefixes == 3);
}

TEST(a_terminal_gets_carriage_returns)
{
    console_init(false);
    fake_uart_sent();
    console_log("hello");
    write_as(0, "control", false, OUTPUT_TEXT, "prompt> ");
    console_log("news");
    EXPECT(sent("hello\r\nprompt> \r\nnews\r\n"));
    write_as(1, "a", false, OUTPUT_RAW, "\033[H\nraw");
    EXPECT(sent("\033[H\nraw"));
    write_as(2, "b", true, OUTPUT_SAFE, "\033\n");
    EXPECT(sent("\r\n[b] \\x1b\r\n"));
}

/* Without a line feed, so that there is no prefix to count. */
static void raw(size_t len)
{
    static char text[40000];

    memset(text, 'r', len);
    text[len] = '\0';
    write_as(1, "a", false, OUTPUT_RAW, text);
}

TEST(what_waits_is_sent_in_pieces)
{
    const uint64_t ms = 1000000;

    console_init(false);
    fake_clock = 1000 * ms;
    EXPECT(!console_send(true) && console_due == UINT64_MAX);
    fake_uart_sent();
    cpu_this()->timer_fired = false;
    raw(10);
    EXPECT(sent("") && cpu_this()->timer_fired && console_due == 1050 * ms);
    fake_clock += 49 * ms;
    EXPECT(!console_send(false) && sent(""));
    fake_clock += ms;
    EXPECT(console_send(false) && sent("rrrr") && console_due == 1051 * ms);
    EXPECT(!console_send(false));
    /* Who has nothing else to do does not wait. */
    EXPECT(console_send(true) && sent("rrrr") && console_send(true) && sent("rr"));
    EXPECT(!console_send(true) && console_due == UINT64_MAX);
    /* What there is no room for is not lost. */
    raw(20000);
    EXPECT(strlen(fake_uart_sent()) == 20000 - 16384);
    raw(3);
    EXPECT(sent("rrr"));
    console_panic("end");
    EXPECT(strlen(fake_uart_sent()) == 16384 + strlen("\r\nend\r\n"));
    raw(1);
    EXPECT(sent("r"));
    console_log("on");
    fake_uart_sent();
}

TEST(own_lines_are_one_line)
{
    console_init(true);
    fake_uart_sent();
    console_log("a%sb", "\n\033[31m");
    EXPECT(sent("[core] a??[31mb\n"));
}

/* ---- the log ------------------------------------------------------------------------- */

TEST(the_log_keeps_the_latest)
{
    char buf[100], line[64];
    uint64_t from = 0;

    for (unsigned i = 0; i < 4000; i++) {
        memset(line, 'a' + (int)(i % 26), sizeof(line));
        log_put(line, sizeof(line));
    }
    uint64_t end = log_end();
    EXPECT(log_get(&from, buf, sizeof(buf)) == sizeof(buf));
    EXPECT(from == end - LOG_SIZE + sizeof(buf));
    from = end - 3;
    EXPECT(log_get(&from, buf, sizeof(buf)) == 3 && from == end);
    EXPECT(log_get(&from, buf, sizeof(buf)) == 0);
    from = end + 100;
    EXPECT(log_get(&from, buf, sizeof(buf)) == 0);
}

/* ---- limits -------------------------------------------------------------------------- */

TEST(a_flood_is_cut_and_told_once)
{
    struct console_limit l = {0};
    uint64_t now = 5000000000;

    EXPECT(limit_take(&l, now, 60000) == 60000);
    EXPECT(limit_take(&l, now, 10000) == LIMIT_BURST - 60000);
    EXPECT(limit_take(&l, now, 10000) == 0);
    EXPECT(limit_report(&l, now) == 0);
    now += 1000000000;
    EXPECT(limit_take(&l, now, 100000) >= LIMIT_RATE - 1);
    now += 10000000000;
    EXPECT(limit_report(&l, now) > 90000);
    EXPECT(limit_report(&l, now) == 0);
    EXPECT(limit_take(&l, now, 70000) == LIMIT_BURST);
}

/* ---- input --------------------------------------------------------------------------- */

static bool prompt_reads(const char *expected)
{
    char buf[256];
    size_t n = input_take(false, buf, sizeof(buf));

    return n == strlen(expected) && memcmp(buf, expected, n) == 0;
}

static bool guest_reads(const char *expected)
{
    char buf[256];
    size_t n = input_take(true, buf, sizeof(buf));

    return n == strlen(expected) && memcmp(buf, expected, n) == 0;
}

TEST(bytes_go_to_exactly_one)
{
    console_init(true);
    fake_uart_type("list\n");
    EXPECT(input_receive());
    EXPECT(guest_reads("") && prompt_reads("list\n"));
    input_attach(3);
    EXPECT(input_attached() == 3);
    fake_uart_type("root\n");
    EXPECT(input_receive());
    EXPECT(prompt_reads("") && guest_reads("root\n"));
    fake_uart_type("secret\035list\n");
    EXPECT(input_receive());
    EXPECT(input_attached() == DOMID_INVALID);
    EXPECT(guest_reads("") && prompt_reads("list\n"));
    EXPECT(!input_receive());
}

TEST(typed_ahead_goes_where_it_was_meant)
{
    char line[8];
    uint32_t session = input_session();

    fake_uart_type("attach\nroot\n\035next\n");
    EXPECT(input_receive());
    EXPECT(input_take(false, line, sizeof(line)) == 7); /* no further than the line */
    input_attach(4);
    EXPECT(input_session() == session + 2); /* in, and out again by the escape */
    EXPECT(input_attached() == DOMID_INVALID && guest_reads("") && prompt_reads("next\n"));
}

TEST(the_prompt_loses_nothing)
{
    static char text[10001];
    size_t got = 0;
    char buf[256];

    memset(text, 'y', sizeof(text) - 1);
    fake_uart_listens = true;
    fake_uart_type(text);
    EXPECT(input_receive());
    EXPECT(!fake_uart_listens);
    for (unsigned i = 0; i < 1000; i++) {
        got += input_take(false, buf, sizeof(buf));
        if (fake_uart_listens)
            (void)input_receive();
    }
    EXPECT(got == 10000);
}

TEST(a_deaf_guest_does_not_block_the_way_back)
{
    static char text[20001];

    memset(text, 'z', sizeof(text) - 1);
    input_attach(5);
    fake_uart_type(text);
    (void)input_receive();
    fake_uart_type("\035back");
    (void)input_receive();
    EXPECT(input_attached() == DOMID_INVALID && prompt_reads("back"));
}
