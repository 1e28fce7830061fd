#include <pages.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 200

static uint64_t bitmap[PAGES_WORDS(COUNT)];

static struct pages all_free(void)
{
    struct pages p;

    pages_init(&p, bitmap, COUNT);
    EXPECT(pages_free(&p, 0, COUNT));
    return p;
}

TEST(starts_with_nothing)
{
    struct pages p;

    pages_init(&p, bitmap, COUNT);
    EXPECT(p.free == 0);
    EXPECT(pages_alloc(&p, 1) == PAGES_NONE);
}

TEST(gives_from_the_top)
{
    struct pages p = all_free();

    EXPECT(pages_alloc(&p, 1) == COUNT - 1);
    EXPECT(pages_alloc(&p, 3) == COUNT - 4);
    EXPECT(p.free == COUNT - 4);
}

TEST(takes_named_pages_once)
{
    struct pages p = all_free();

    EXPECT(pages_take(&p, 10, 5));
    EXPECT(!pages_take(&p, 14, 1));
    EXPECT(!pages_take(&p, 8, 3));
    EXPECT(pages_take(&p, 15, 1));
}

TEST(refuses_to_free_what_is_not_taken)
{
    struct pages p = all_free();

    EXPECT(!pages_free(&p, 0, 1));
    EXPECT(pages_take(&p, 0, 2));
    EXPECT(!pages_free(&p, 0, 3));
    EXPECT(p.free == COUNT - 2);
    EXPECT(!pages_free(&p, COUNT, 1));
    EXPECT(!pages_free(&p, SIZE_MAX, 2));
    EXPECT(!pages_free(&p, 0, 0));
    EXPECT(pages_free(&p, 0, 2));
}

TEST(finds_the_only_gap)
{
    struct pages p = all_free();

    EXPECT(pages_take(&p, 0, COUNT));
    EXPECT(pages_free(&p, 70, 4));
    EXPECT(pages_alloc(&p, 5) == PAGES_NONE);
    EXPECT(pages_alloc(&p, 4) == 70);
    EXPECT(pages_alloc(&p, 1) == PAGES_NONE);
}

TEST(agrees_with_a_plain_array)
{
    struct pages p = all_free();
    bool taken[COUNT] = {false};
    size_t at[COUNT];
    size_t len[COUNT];
    size_t runs = 0;

    srand(1);
    for (int step = 0; step < 20000; step++) {
        size_t run = (size_t)rand() % (rand() % 16 == 0 ? 140 : 9) + 1;

        if (rand() % 2 == 0 && runs < COUNT) {
            size_t first = pages_alloc(&p, run);

            if (first == PAGES_NONE)
                continue;
            for (size_t i = first; i < first + run; i++) {
                EXPECT(i < COUNT && !taken[i]);
                taken[i] = true;
            }
            at[runs] = first;
            len[runs++] = run;
        } else if (runs > 0) {
            size_t k = (size_t)rand() % runs;

            EXPECT(pages_free(&p, at[k], len[k]));
            memset(taken + at[k], 0, len[k]);
            at[k] = at[--runs];
            len[k] = len[runs];
        }
    }
    size_t free = 0;

    for (size_t i = 0; i < COUNT; i++)
        free += !taken[i];
    EXPECT(free == p.free);
    for (size_t i = 0; i < COUNT; i++)
        EXPECT(pages_is_taken(&p, i) == taken[i]);
    for (size_t i = 0; i < COUNT; i++)
        if (!taken[i])
            EXPECT(pages_take(&p, i, 1));
}
