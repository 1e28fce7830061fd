#include <scan.h>

#include <check.h>
#include <string.h>

static uint8_t upcall;
static uint64_t selector, pending[SCAN_WORDS], mask[SCAN_WORDS];
static const struct scan_words words = {&upcall, &selector, pending, mask};

static struct scan start(void)
{
    upcall = 0;
    selector = 0;
    memset(pending, 0, sizeof(pending));
    memset(mask, 0xff, sizeof(mask));
    return (struct scan){0};
}

/* What the core does. */
static void raise_port(unsigned port)
{
    uint64_t bit = 1ull << (port % 64);
    uint64_t word = 1ull << (port / 64);

    if ((pending[port / 64] & bit) != 0)
        return;
    pending[port / 64] |= bit;
    if ((mask[port / 64] & bit) != 0 || (selector & word) != 0)
        return;
    selector |= word;
    upcall = 1;
}

TEST(nothing_is_none)
{
    struct scan s = start();

    EXPECT(scan_next(&s, words) == SCAN_NONE);
}

TEST(takes_each_once)
{
    struct scan s = start();

    scan_open(&s, words, 5);
    scan_open(&s, words, 4095);
    raise_port(4095);
    raise_port(5);
    EXPECT(scan_next(&s, words) == 5);
    EXPECT(scan_next(&s, words) == 4095);
    EXPECT(scan_next(&s, words) == SCAN_NONE);
    EXPECT(upcall == 0 && selector == 0);
}

TEST(masked_ports_wait_until_they_are_opened)
{
    struct scan s = start();

    raise_port(70);
    EXPECT(scan_next(&s, words) == SCAN_NONE);
    scan_open(&s, words, 70);
    EXPECT(scan_next(&s, words) == 70);
    raise_port(70);
    scan_shut(words, 70);
    EXPECT(scan_next(&s, words) == SCAN_NONE);
}

/* One port is raised again each time it is taken; the others must still come. */
TEST(a_flood_starves_nobody)
{
    struct scan s = start();
    const unsigned ports[] = {1, 2, 63, 64, 200};
    unsigned taken[256] = {0};

    for (unsigned i = 0; i < 5; i++)
        scan_open(&s, words, ports[i]);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 5; i++)
            raise_port(ports[i]);
        taken[scan_next(&s, words)]++;
    }
    for (unsigned i = 0; i < 5; i++)
        EXPECT(taken[ports[i]] == 12);
}

/* A sleeper that waits for one port collects first: the next event must set the upcall. */
TEST(waiting_for_one_leaves_the_others)
{
    struct scan s = start();

    scan_open(&s, words, 8);
    scan_open(&s, words, 9);
    raise_port(8);
    scan_collect(&s, words);
    EXPECT(!scan_take(words, 9));
    EXPECT(upcall == 0);
    raise_port(9);
    EXPECT(upcall == 1);
    scan_collect(&s, words);
    EXPECT(scan_take(words, 9));
    EXPECT(!scan_take(words, 9));
    EXPECT(scan_next(&s, words) == 8);
}
