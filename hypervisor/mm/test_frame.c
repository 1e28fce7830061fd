#include "mm/frame.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "mm/buddy.h"
#include "mm/table.h"

#define DOMAINS_FRAMES (FAKE_FRAMES - FAKE_POOL)

static bool is_zero(mfn_t first, unsigned order)
{
    const unsigned char *p = fake_frame(first.v);

    for (size_t i = 0; i < (size_t)PAGE_SIZE << order; i++)
        if (p[i])
            return false;
    return true;
}

TEST(counts)
{
    fake_machine();
    EXPECT(frame_total() == FAKE_FRAMES);
    EXPECT(frame_free() == DOMAINS_FRAMES);
}

TEST(alloc_is_zeroed_aligned_and_owned)
{
    uint16_t owner = 0;

    fake_machine();
    for (unsigned order = 0; order <= FRAME_ORDER_2M; order += 3) {
        mfn_t m = frame_alloc(7, order);
        EXPECT(!mfn_is_none(m) && (m.v & ((1u << order) - 1)) == 0);
        EXPECT(is_zero(m, order));
        EXPECT(frame_kind(m, &owner) == FRAME_DOMAIN && owner == 7);
    }
}

TEST(too_large_is_refused)
{
    fake_machine();
    EXPECT(mfn_is_none(frame_alloc(1, FRAME_ORDER_1G)));
    EXPECT(frame_free() == DOMAINS_FRAMES);
}

TEST(last_reference_frees)
{
    fake_machine();
    mfn_t m = frame_alloc(1, 0);
    frame_get(m);
    frame_put(m);
    EXPECT(frame_kind(m, NULL) == FRAME_DOMAIN);
    frame_put(m);
    EXPECT(frame_kind(m, NULL) == FRAME_FREE);
    EXPECT(frame_free() == DOMAINS_FRAMES);
}

TEST(freed_data_does_not_come_back)
{
    fake_machine();
    mfn_t m = frame_alloc(1, 0);
    memset(fake_frame(m.v), 0x77, PAGE_SIZE);
    frame_put(m);
    for (unsigned i = 0; i < DOMAINS_FRAMES; i++) {
        mfn_t n = frame_alloc(2, 0);
        EXPECT(!mfn_is_none(n) && is_zero(n, 0));
    }
    EXPECT(mfn_is_none(frame_alloc(2, 0)));
}

TEST(runs_with_other_holders)
{
    fake_machine();
    mfn_t m = frame_alloc(1, 6);
    frame_get((mfn_t){m.v + 5});
    frame_get((mfn_t){m.v + 63});
    frame_put_run(m, 64);
    EXPECT(frame_free() == DOMAINS_FRAMES - 2);
    EXPECT(frame_kind((mfn_t){m.v + 5}, NULL) == FRAME_DOMAIN);
    EXPECT(frame_kind((mfn_t){m.v + 6}, NULL) == FRAME_FREE);
    frame_put((mfn_t){m.v + 5});
    frame_put((mfn_t){m.v + 63});
    EXPECT(frame_free() == DOMAINS_FRAMES);
    frame_put_run((mfn_t){FAKE_FIRST}, 3); /* of the core: nothing happens */
    frame_put_run(m, 0);
    while (frame_scrub())
        ;
    EXPECT(!mfn_is_none(frame_alloc(1, 10)));
}

TEST(core_frames_have_no_count)
{
    fake_machine();
    frame_get((mfn_t){FAKE_FIRST});
    frame_put((mfn_t){FAKE_FIRST});
    frame_put((mfn_t){FAKE_FIRST});
    EXPECT(frame_kind((mfn_t){FAKE_FIRST}, NULL) == FRAME_CORE);
    EXPECT(frame_kind((mfn_t){0}, NULL) == FRAME_ABSENT);
    EXPECT(frame_kind((mfn_t){UINT64_MAX}, NULL) == FRAME_ABSENT);
}

TEST(dropping_too_often_is_our_bug)
{
    jmp_buf where;

    fake_machine();
    mfn_t m = frame_alloc(1, 0);
    frame_entry(m)->refs = 0;
    fake_on_check = &where;
    if (setjmp(where) == 0) {
        frame_put(m);
        EXPECT(!"reached");
    }
}

TEST(scrubbing_ends_and_keeps_all)
{
    unsigned steps = 0;

    fake_machine();
    EXPECT(frame_is_dirty());
    while (frame_scrub() && steps < 100000)
        steps++;
    EXPECT(steps > 0 && steps < 100000);
    EXPECT(!frame_is_dirty());
    EXPECT(frame_free() == DOMAINS_FRAMES);
    mfn_t m = frame_alloc(1, FRAME_ORDER_2M);
    EXPECT(!mfn_is_none(m) && is_zero(m, FRAME_ORDER_2M));
    EXPECT(!frame_is_dirty());
    frame_put(m);
    EXPECT(frame_is_dirty());
}

/* Half the frames clean, half dirty, in a chequered pattern: a large block is still found. */
TEST(clean_and_dirty_come_together_when_needed)
{
    mfn_t all[DOMAINS_FRAMES];

    fake_machine();
    for (unsigned i = 0; i < DOMAINS_FRAMES; i++)
        all[i] = frame_alloc(1, 0);
    for (unsigned i = 0; i < DOMAINS_FRAMES; i += 2)
        frame_put(all[i]);
    while (frame_scrub())
        ;
    for (unsigned i = 1; i < DOMAINS_FRAMES; i += 2)
        frame_put(all[i]);
    mfn_t m = frame_alloc(2, FRAME_ORDER_2M);
    EXPECT(!mfn_is_none(m) && is_zero(m, FRAME_ORDER_2M));
}

TEST(low_frames_are_given_last_and_can_be_claimed)
{
    const mfn_t low = {FAKE_LOW_END - 0x200};

    fake_machine();
    for (unsigned i = 0; i < FAKE_FIRST + FAKE_FRAMES - FAKE_LOW_END; i++)
        EXPECT(frame_alloc(1, 0).v >= FAKE_LOW_END);
    EXPECT(frame_claim(2, low, FRAME_ORDER_2M).v == low.v && is_zero(low, FRAME_ORDER_2M));
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){low.v + 8}, 3)));
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){low.v - 4}, 3))); /* not aligned */
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){FAKE_LOW_END}, 0)));
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){FAKE_FIRST}, 0)));
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){UINT64_MAX}, 0)));
    EXPECT(mfn_is_none(frame_claim(2, (mfn_t){0x100000}, FRAME_ORDER_2M)));
    EXPECT(frame_alloc(1, 0).v < low.v);
    frame_put_run(low, 512);
    memset(fake_frame(low.v + 9), 0x77, PAGE_SIZE);
    EXPECT(frame_claim(3, (mfn_t){low.v + 9}, 0).v == low.v + 9 && is_zero((mfn_t){low.v + 9}, 0));
    frame_put((mfn_t){low.v + 9});
    EXPECT(frame_claim(3, low, FRAME_ORDER_2M).v == low.v);
}

/* The frame's first word, where each holder of the history below writes. */
static uint64_t *word(uint64_t mfn)
{
    return fake_frame(mfn);
}

/* A long random history: blocks never overlap, nobody finds what another wrote, all comes back. */
TEST(random_history)
{
    static unsigned char used[FAKE_FRAMES];
    struct {
        mfn_t first;
        unsigned order;
    } held[64];
    unsigned count = 0, seed = 1;

    fake_machine();
    memset(used, 0, sizeof(used));
    for (unsigned step = 0; step < 20000; step++) {
        seed = seed * 1103515245 + 12345;
        unsigned dice = seed >> 16;
        if (dice % 3 && count < 64) {
            held[count].order = dice / 8 % 6;
            held[count].first = dice % 5
                                    ? frame_alloc(1, held[count].order)
                                    : frame_claim(1,
                                                  (mfn_t){(FAKE_FIRST + dice / 64 % FAKE_FRAMES) >>
                                                          held[count].order << held[count].order},
                                                  held[count].order);
            if (mfn_is_none(held[count].first))
                continue;
            for (unsigned i = 0; i < 1u << held[count].order; i++) {
                EXPECT(!used[held[count].first.v - FAKE_FIRST + i]++);
                EXPECT(*word(held[count].first.v + i) == 0);
                *word(held[count].first.v + i) = step + 1;
            }
            count++;
        } else if (count > 0) {
            unsigned k = dice % count--;
            for (unsigned i = 0; i < 1u << held[k].order; i++) {
                used[held[k].first.v - FAKE_FIRST + i]--;
                frame_put((mfn_t){held[k].first.v + i});
            }
            held[k] = held[count];
        }
        if (dice % 7 == 0)
            (void)frame_scrub();
    }
    while (count > 0) {
        count--;
        for (unsigned i = 0; i < 1u << held[count].order; i++)
            frame_put((mfn_t){held[count].first.v + i});
    }
    EXPECT(frame_free() == DOMAINS_FRAMES);
    while (frame_scrub())
        ;
    EXPECT(!mfn_is_none(frame_alloc(1, 10)));
}
