/* domcrash: what is known of a domain's last crash. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <build/mapped.h>
#include <crash/unwind.h>

#include "corelog.h"

#define MS 1000000u

#define LINES_SHOWN 20u

static const char *const exceptions[] = {
    [0] = "division",
    [1] = "debug",
    [2] = "NMI",
    [3] = "breakpoint",
    [6] = "invalid opcode",
    [7] = "no FPU",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "no segment",
    [12] = "stack segment",
    [13] = "protection",
    [14] = "page fault",
    [16] = "floating point",
    [17] = "alignment",
    [18] = "machine check",
    [19] = "vector floating point",
    [21] = "control protection",
};

/* By DWARF's numbers, in the order in which people look for them. */
static const struct {
    const char *name;
    unsigned number;
} registers[] = {
    {"rip", LIFE_RIP}, {"rsp", LIFE_RSP}, {"rbp", LIFE_RBP}, {"rax", 0},  {"rbx", 3},  {"rcx", 2},
    {"rdx", 1},        {"rsi", 4},        {"rdi", 5},        {"r8", 8},   {"r9", 9},   {"r10", 10},
    {"r11", 11},       {"r12", 12},       {"r13", 13},       {"r14", 14}, {"r15", 15},
};

static void print_exception(const struct life_end *end)
{
    const char *name =
        end->vector < sizeof(exceptions) / sizeof(exceptions[0]) ? exceptions[end->vector] : NULL;

    cli_print("exception %" PRIu32 " (%s), error 0x%" PRIx64, end->vector, name ? name : "unknown",
              end->error);
    if (end->vector == 14)
        cli_print(", address 0x%" PRIx64, end->address);
    cli_print(", flags 0x%" PRIx64 "\n", end->flags);
    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        cli_print("  %-3s %016" PRIx64 "%s", registers[i].name, end->registers[registers[i].number],
                  i % 4 == 3 ? "\n" : "");
    cli_print("\n");
}

static void print_frame(const struct image *image, const struct unwind_frame *frame, bool exact)
{
    uint64_t offset;
    const char *name = image_function(image, frame->address, &offset);

    /* Where a call returns to is what people compare with a listing. */
    if (name)
        cli_print("  %s+0x%" PRIx64 "%s\n", name, offset + (exact ? 0 : 1),
                  frame->guess ? " ?" : "");
    else
        cli_print("  0x%" PRIx64 "%s\n", frame->address + (exact ? 0 : 1),
                  frame->guess ? " ?" : "");
}

static void print_frames(struct cli *cli, const struct evidence *v)
{
    const struct frames_stack stack = {v->stack_base, v->stack, v->stack_len};
    bool is_return = v->page.end.kind == LIFE_WORD;
    struct unwind_frame frames[UNWIND_MAX];
    struct mapped file;
    struct image image;
    unsigned count;

    if (!v->kernel || mapped_open(cli->root, v->kernel, &file) != 0) {
        cli_print("backtrace: its image cannot be read\n");
        return;
    }
    if (!image_open(&image, file.bytes, file.len)) {
        cli_print("backtrace: its image has no symbols\n");
    } else {
        count = unwind(&image, &stack, v->page.end.registers, is_return, frames);
        cli_print("backtrace (?: a guess, of a word on the stack):\n");
        for (unsigned i = 0; i < count; i++)
            print_frame(&image, &frames[i], i == 0 && !is_return);
    }
    mapped_close(&file);
}

/* Of the ring, as one text. */
static size_t unroll(const struct life_page *page, char text[LIFE_LOG])
{
    uint64_t len = page->logged < LIFE_LOG ? page->logged : LIFE_LOG;

    for (uint64_t i = 0; i < len; i++)
        text[i] = page->log[(page->logged - len + i) % LIFE_LOG];
    return (size_t)len;
}

static void print_log(const struct life_page *page)
{
    static char text[LIFE_LOG];
    size_t len = unroll(page, text);
    size_t start = len;
    unsigned lines = 0;

    while (start > 0 && (text[start - 1] != '\n' || start == len || ++lines < LINES_SHOWN))
        start--;
    if (len == 0) {
        cli_print("it logged nothing\n");
        return;
    }
    cli_print("the last of its log:\n");
    while (start < len) {
        const char *end = memchr(text + start, '\n', len - start);
        size_t line = end ? (size_t)(end - (text + start)) : len - start;

        cli_print("  %.*s\n", (int)line, text + start);
        start += line + 1;
    }
}

/* The core writes a line when it ends a domain: a triple fault, a broken rule. */
static void print_core(const struct entry *e, const struct evidence *v)
{
    char *text = corelog_of_crash(v->domid, e->config->name);

    if (text)
        cli_print("the core's log:\n%s", text);
    else if (config_is_image(e->config))
        cli_print("it left no word, and the core's log has none: what it was doing is not known\n");
    else
        cli_print("the core did not end it: it said itself that it crashed, as a kernel does that "
                  "panics; its console says more\n");
    free(text);
}

int verb_domcrash(struct cli *cli, int argc, char **argv)
{
    struct entry *e = cli_domain(cli, argv[1]);
    const struct evidence *v = e ? e->evidence : NULL;

    (void)argc;
    if (!e)
        return -1;
    if (!v) {
        cli_print("Domain %s has not crashed\n", e->config->name);
        return 0;
    }
    cli_print("Domain %s (id %u), life %u: %s at %" PRIu64 " ms, after %" PRIu64 " ms\n",
              e->config->name, v->domid, v->life, v->what, v->died / MS,
              (v->died - v->started) / MS);
    if (v->has_page && v->page.end.kind == LIFE_EXCEPTION)
        print_exception(&v->page.end);
    else if (v->has_page && v->page.end.kind == LIFE_WORD)
        cli_print("it ended itself: %.*s\n", (int)strnlen(v->page.end.why, LIFE_WHY),
                  v->page.end.why);
    else
        print_core(e, v);
    if (v->stack_len > 0 || (v->has_page && v->page.end.kind == LIFE_EXCEPTION))
        print_frames(cli, v);
    if (v->has_page)
        print_log(&v->page);
    return 0;
}
