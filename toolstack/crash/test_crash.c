/* Backtraces over the tiny image: each stack is written out word by word. */
#include "unwind.h"

#include <string.h>

#include <check.h>

#include "tiny.h"

#define STACK 0x300000ull

static struct image image;
static uint64_t words[32];
static const struct frames_stack stack = {STACK, (const uint8_t *)words, sizeof(words)};
static struct unwind_frame found[UNWIND_MAX];
static unsigned count;

static void begin(void)
{
    size_t len;
    const uint8_t *bytes = tiny_image(&len);

    memset(words, 0, sizeof(words));
    EXPECT(image_open(&image, bytes, len));
}

static uint64_t at(enum tiny_function f, uint64_t offset)
{
    return TINY_TEXT + f + offset;
}

static void run(uint64_t rip, uint64_t rsp, uint64_t rbp, bool is_return)
{
    uint64_t registers[LIFE_REGISTERS] = {0};

    registers[LIFE_RIP] = rip;
    registers[LIFE_RSP] = rsp;
    registers[LIFE_RBP] = rbp;
    count = unwind(&image, &stack, registers, is_return, found);
}

static bool is_frame(unsigned i, const char *name, uint64_t offset, bool guess)
{
    uint64_t off = 0;
    const char *function = i < count ? image_function(&image, found[i].address, &off) : NULL;

    return function && strcmp(function, name) == 0 && off == offset && found[i].guess == guess;
}

TEST(names)
{
    uint64_t offset;

    begin();
    EXPECT(strcmp(image_function(&image, at(TINY_MIDDLE, 0x1f), &offset), "middle") == 0);
    EXPECT(offset == 0x1f);
    EXPECT(strcmp(image_function(&image, at(TINY_BARE, 0x1f), &offset), "bare") == 0);
    EXPECT(!image_function(&image, at(TINY_BARE, 0x20), &offset));
    EXPECT(!image_function(&image, TINY_TEXT - 1, &offset));
    EXPECT(image_follows_call(&image, at(TINY_OUTER, 9)));
    EXPECT(image_follows_call(&image, at(TINY_MIDDLE, 10)));
    EXPECT(!image_follows_call(&image, at(TINY_MIDDLE, 8)));
    EXPECT(!image_follows_call(&image, TINY_TEXT) && !image_follows_call(&image, 0));
}

/* outer called middle called inner, which made an exception behind its push. */
static void write_stack(void)
{
    words[2] = 0xb;                 /* rbx, pushed by inner */
    words[3] = at(TINY_MIDDLE, 10); /* into middle */
    words[4] = at(TINY_OUTER, 9);   /* rubbish: an old return address in middle's frame */
    words[6] = STACK + 26 * 8;      /* rbp, pushed by middle */
    words[7] = at(TINY_OUTER, 9);   /* into outer */
    words[11] = 0;                  /* outer was called by nobody */
}

TEST(an_exact_backtrace)
{
    begin();
    write_stack();
    run(at(TINY_INNER, 3), STACK + 2 * 8, STACK + 6 * 8, false);
    EXPECT(is_frame(0, "inner", 3, false));
    EXPECT(is_frame(1, "middle", 9, false));
    EXPECT(is_frame(2, "outer", 8, false));
    EXPECT(count == 3);
}

/* At the first instruction, in the stretch in between, and behind it. */
TEST(rows_of_a_function)
{
    static const struct {
        uint64_t offset;
        unsigned rsp;
    } rows[] = {{0, 3}, {1, 2}, {4, 3}, {5, 2}};

    begin();
    write_stack();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(at(TINY_INNER, rows[i].offset), STACK + rows[i].rsp * 8, STACK + 6 * 8, false);
        EXPECT(count == 3 && is_frame(1, "middle", 9, false) && is_frame(2, "outer", 8, false));
    }
}

/* What comes from a call that did not return begins inside that call. */
TEST(from_a_return_address)
{
    begin();
    write_stack();
    run(at(TINY_MIDDLE, 10), STACK + 4 * 8, STACK + 6 * 8, true);
    EXPECT(count == 2 && is_frame(0, "middle", 9, false) && is_frame(1, "outer", 8, false));
}

/* Behind a function without a description the stack is searched, and that is said. */
TEST(a_guess)
{
    begin();
    write_stack();
    words[0] = at(TINY_MIDDLE, 8); /* no call stands before it */
    run(at(TINY_BARE, 2), STACK, STACK + 6 * 8, false);
    EXPECT(count == 3 && is_frame(0, "bare", 2, false) && is_frame(1, "middle", 9, true));
    EXPECT(is_frame(2, "outer", 8, false));
}

/* What an older call left is passed over for the word behind a call of this function. */
TEST(a_better_guess)
{
    begin();
    words[0] = at(TINY_MIDDLE, 10);
    words[1] = at(TINY_OUTER, 9);
    words[2] = at(TINY_BARE, 5); /* calls inner */
    run(at(TINY_BARE, 2), STACK, 0, false);
    EXPECT(is_frame(1, "middle", 9, true)); /* nobody calls bare */
    image.frames.len = 0;                   /* now nothing is known of inner either */
    run(at(TINY_INNER, 3), STACK, 0, false);
    EXPECT(is_frame(1, "bare", 4, true));
}

/* A call through a null pointer: the caller is what lies on the stack. */
TEST(nowhere)
{
    begin();
    write_stack();
    run(0, STACK + 3 * 8, STACK + 6 * 8, false);
    EXPECT(count == 3 && found[0].address == 0 && is_frame(1, "middle", 9, true));
}

/* No stack, or one that lies: at most the first frame, or an end. */
TEST(stacks_that_lie)
{
    begin();
    write_stack();
    run(at(TINY_INNER, 3), 0x1000, 0, false);
    EXPECT(count == 1);
    run(at(TINY_INNER, 3), STACK + sizeof(words) - 4, 0, false);
    EXPECT(count == 1);
    run(at(TINY_INNER, 3), UINT64_MAX - 7, UINT64_MAX, false);
    EXPECT(count == 1);
    /* A frame of middle that claims to be its own caller, for ever. */
    for (unsigned i = 0; i < 32; i++)
        words[i] = i % 2 ? at(TINY_MIDDLE, 10) : STACK + 4 * 8;
    run(at(TINY_MIDDLE, 10), STACK, STACK + 4 * 8, true);
    EXPECT(count >= 2 && count <= 3);
    /* Calls without end are cut. */
    for (unsigned i = 0; i < 32; i++)
        words[i] = at(TINY_BARE, 5);
    run(at(TINY_BARE, 2), STACK, 0, false);
    EXPECT(count == UNWIND_MAX);
}

TEST(files_that_are_none)
{
    static uint8_t bytes[4096];
    size_t len;
    const uint8_t *good = tiny_image(&len);

    memcpy(bytes, good, len);
    EXPECT(!image_open(&image, bytes, 0) && !image_open(&image, bytes, 63));
    bytes[4] = 1;
    EXPECT(!image_open(&image, bytes, len));
    /* Cut anywhere: what is left of it is used, or nothing. */
    for (size_t n = 0; n < len; n++) {
        memcpy(bytes, good, len);
        if (image_open(&image, bytes, n))
            run(at(TINY_INNER, 3), STACK + 2 * 8, STACK + 6 * 8, false);
    }
}
