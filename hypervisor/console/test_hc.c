#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <abi/console.h>
#include <abi/rights.h>

#include "boot/options.h"
#include "console/console.h"
#include "console/parts.h"
#include "hypercall/call.h"
#include "mm/copy.h"

/* Domain 0 has the prompt, domain 1 serves consoles, domain 2 is a guest. */
static struct hc_call call;

static void start(bool headless)
{
    fake_domains();
    boot_options.headless = headless;
    console_init(headless);
    fake_domain[0].rights = RIGHT_PROMPT | RIGHT_INSPECT;
    fake_domain[1].rights = RIGHT_CONSOLE;
    strcpy(fake_domain[0].label, "control");
    strcpy(fake_domain[1].label, "console");
    strcpy(fake_domain[2].label, "guest");
    fake_clock = 1000000000;
    fake_uart_sent();
}

static bool stops;

bool hc_should_stop(struct hc_call *c)
{
    EXPECT(c == &call);
    c->again = stops;
    return stops;
}

static struct hc_call *as(unsigned id, uint64_t a, uint64_t b)
{
    call = (struct hc_call){.vcpu = fake_domain[id].vcpu[0], .domain = &fake_domain[id]};
    call.arg[1] = a;
    call.arg[2] = b;
    copy_forget();
    return &call;
}

/* Domains have no paging here: linear addresses are physical. */
static int64_t write_as(unsigned id, const char *text)
{
    EXPECT(copy_to_gpa(&fake_domain[id], (gpa_t){0x1000}, text, strlen(text)) == 0);
    return hc_console_write(as(id, strlen(text), 0x1000));
}

static int put(uint16_t domid, const char *text, uint32_t flags)
{
    struct bulkhead_console_put arg = {
        .domid = domid, .flags = flags, .buffer = 0x1000, .len = strlen(text)};

    EXPECT(copy_to_gpa(&fake_domain[1], (gpa_t){0x1000}, text, strlen(text)) == 0);
    return hc_console_put(as(1, 0, 0), &arg);
}

static uint16_t attach(uint16_t domid)
{
    struct bulkhead_console_attach arg = {.domid = domid};

    EXPECT(hc_console_attach(as(0, 0, 0), &arg) == 0);
    return arg.domid;
}

static bool sent(const char *expected)
{
    return strcmp(fake_uart_sent(), expected) == 0;
}

static void type(const char *text)
{
    fake_uart_type(text);
    console_receive();
}

TEST(lines_of_domains)
{
    start(true);
    EXPECT(write_as(2, "a\033b\n") == 0 && write_as(0, "ok\n") == 0);
    EXPECT(sent("[guest] a\\x1bb\n[control] ok\n"));
    console_init(false);
    EXPECT(write_as(2, "x\n") == 0 && write_as(0, "\033[K> ") == 0);
    EXPECT(sent("[guest] x\r\n\033[K> "));
    fake_domains_end();
}

TEST(bad_pointers_and_lengths)
{
    start(true);
    EXPECT(hc_console_write(as(2, 10, 0x7fffffffffff)) == -XEN_EFAULT);
    EXPECT(hc_console_write(as(2, UINT64_MAX, 0xf000)) == -XEN_EFAULT);
    EXPECT(hc_console_write(as(2, 0, 0x7fffffffffff)) == 0);
    struct bulkhead_console_put big = {.domid = 2, .buffer = 0x1000, .len = 4097};
    EXPECT(hc_console_put(as(1, 0, 0), &big) == -XEN_EINVAL);
    big = (struct bulkhead_console_put){.domid = 2, .flags = 2};
    EXPECT(hc_console_put(as(1, 0, 0), &big) == -XEN_EINVAL);
    struct bulkhead_console_attach none = {.domid = 99};
    EXPECT(hc_console_attach(as(0, 0, 0), &none) == -XEN_ESRCH);
    fake_domains_end();
}

TEST(a_flood_is_dropped_and_told)
{
    char text[1001];

    start(true);
    memset(text, 'f', 999);
    text[999] = '\n';
    text[1000] = '\0';
    for (unsigned i = 0; i < 200; i++)
        EXPECT(write_as(2, text) == 0);
    EXPECT(strlen(fake_uart_sent()) < LIMIT_BURST + 3000);
    for (unsigned i = 0; i < 70; i++)
        EXPECT(write_as(0, text) == 0); /* the privileged are not limited */
    EXPECT(strlen(fake_uart_sent()) > 65000);
    fake_clock += 10000000000;
    EXPECT(write_as(2, "sorry\n") == 0);
    const char *all = fake_uart_sent();
    EXPECT(strstr(all, "guest wrote too fast") && strstr(all, "[guest] sorry"));
    fake_domains_end();
}

TEST(a_long_write_goes_on_later)
{
    start(true);
    char text[701];
    memset(text, 'l', 699);
    text[699] = '\n';
    text[700] = '\0';
    stops = true;
    EXPECT(write_as(2, text) == 0 && call.again && call.arg[1] == 700 - 256);
    uint64_t left = call.arg[1], from = call.arg[2];
    stops = false;
    EXPECT(hc_console_write(as(2, left, from)) == 0 && !call.again);
    EXPECT(strlen(fake_uart_sent()) == strlen("[guest] ") + 700);
    fake_domains_end();
}

TEST(attaching)
{
    struct bulkhead_console_get get = {.buffer = 0x2000, .len = 100};
    char text[16] = "";

    start(false);
    EXPECT(attach(DOMID_INVALID) == 0);
    EXPECT(put(2, "unseen", 0) == 0 && sent(""));
    EXPECT(attach(2) == 2 && attach(DOMID_INVALID) == 2);
    EXPECT(put(2, "\033[1mlogin: ", 0) == 0 && sent("\033[1mlogin: "));
    EXPECT(put(1, "others", 0) == 0 && sent(""));
    type("root\n");
    EXPECT(hc_console_get(as(1, 0, 0), &get) == 0);
    EXPECT(get.domid == 2 && get.len == 5);
    EXPECT(copy_from_gpa(&fake_domain[1], text, (gpa_t){0x2000}, 5) == 0);
    EXPECT(strcmp(text, "root\n") == 0);
    uint32_t session = get.session;
    type("\035");
    EXPECT(attach(DOMID_INVALID) == 0);
    get.len = 100;
    EXPECT(hc_console_get(as(1, 0, 0), &get) == 0);
    EXPECT(get.domid == DOMID_INVALID && get.len == 0 && get.session != session);
    EXPECT(strstr(fake_uart_sent(), "\033[0m") != NULL);
    EXPECT(attach(2) == 2 && attach(DOMID_SELF) == 0);
    fake_domains_end();
}

TEST(history_is_for_the_attached)
{
    start(true);
    EXPECT(put(2, "live\n", 0) == 0 && sent("[guest] live\n"));
    EXPECT(put(2, "old\n", BULKHEAD_CONSOLE_REPLAY) == 0 && sent(""));
    EXPECT(attach(2) == 2);
    EXPECT(put(2, "old\n", BULKHEAD_CONSOLE_REPLAY) == 0 && sent("[guest] old\n"));
    EXPECT(attach(DOMID_SELF) == 0);
    fake_domains_end();
}

TEST(last_words_of_a_dead_domain)
{
    start(true);
    EXPECT(put(2, "alive\n", 0) == 0);
    fake_uart_sent();
    console_show(2, NULL, "dead\033\n", 6, false);
    console_show(77, NULL, "who\n", 4, false);
    EXPECT(sent("[guest] dead\\x1b\n[?] who\n"));
    fake_domains_end();
}

TEST(what_is_typed_at_the_prompt)
{
    char text[16] = "";

    start(true);
    type("list\n");
    EXPECT(hc_console_read(as(0, 3, 0x1000)) == 3);
    EXPECT(hc_console_read(as(0, 100, 0x1003)) == 2);
    EXPECT(copy_from_gpa(&fake_domain[0], text, (gpa_t){0x1000}, 5) == 0);
    EXPECT(strcmp(text, "list\n") == 0);
    EXPECT(hc_console_read(as(0, 100, 0x1000)) == 0);
    type("x");
    EXPECT(hc_console_read(as(0, 1, 0x7fffffffffff)) == -XEN_EFAULT);
    fake_domains_end();
}

TEST(the_log_in_pieces)
{
    struct xen_sysctl arg = {0};
    struct xen_sysctl_readconsole *read = &arg.u.readconsole;
    char text[4096] = "";

    start(true);
    console_log("first of these");
    console_log("second of these");
    read->buffer.p = (char *)0x3000;
    read->count = sizeof(text) - 1;
    EXPECT(hc_control_log(as(0, 0, 0), &arg) == 0 && read->count > 0);
    uint32_t index = read->index;
    console_log("third of these");
    read->incremental = 1;
    read->count = sizeof(text) - 1;
    EXPECT(hc_control_log(as(0, 0, 0), &arg) == 0);
    EXPECT(copy_from_gpa(&fake_domain[0], text, (gpa_t){0x3000}, read->count) == 0);
    EXPECT(strcmp(text, "[    1.000000] third of these\n") == 0);
    EXPECT(read->index == index + read->count);
    read->count = 100;
    EXPECT(hc_control_log(as(0, 0, 0), &arg) == 0 && read->count == 0);
    read->clear = 1;
    EXPECT(hc_control_log(as(0, 0, 0), &arg) == -XEN_EINVAL);
    fake_domains_end();
}
