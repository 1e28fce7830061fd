/* Pages by bitmap. */
#include <pages.h>

void pages_init(struct pages *p, uint64_t *bitmap, size_t count)
{
    for (size_t i = 0; i < PAGES_WORDS(count); i++)
        bitmap[i] = UINT64_MAX;
    *p = (struct pages){.taken = bitmap, .count = count};
}

bool pages_is_taken(const struct pages *p, size_t n)
{
    return p->taken[n / 64] >> (n % 64) & 1;
}

static bool is_range(const struct pages *p, size_t first, size_t run)
{
    return run > 0 && first < p->count && run <= p->count - first;
}

/* The bits of the word that page i lies in which stand for i and what follows, before end. */
static uint64_t bits_from(size_t i, size_t end)
{
    uint64_t from = UINT64_MAX << (i % 64);

    return end - i < 64 - i % 64 ? from & ~(UINT64_MAX << (end % 64)) : from;
}

static size_t next_word(size_t i)
{
    return (i / 64 + 1) * 64;
}

static bool is_all(const struct pages *p, size_t first, size_t run, bool taken)
{
    if (!is_range(p, first, run))
        return false;
    for (size_t i = first; i < first + run; i = next_word(i)) {
        uint64_t bits = bits_from(i, first + run);

        if ((p->taken[i / 64] & bits) != (taken ? bits : 0))
            return false;
    }
    return true;
}

static void flip(struct pages *p, size_t first, size_t run)
{
    for (size_t i = first; i < first + run; i = next_word(i))
        p->taken[i / 64] ^= bits_from(i, first + run);
}

size_t pages_alloc(struct pages *p, size_t run)
{
    size_t have = 0;
    bool skipped = false;

    if (run == 0 || run > p->free)
        return PAGES_NONE;
    for (size_t i = p->above; i > 0; i--) {
        if (have == 0 && i % 64 == 0 && p->taken[i / 64 - 1] == UINT64_MAX) {
            i -= 63;
            continue;
        }
        if (pages_is_taken(p, i - 1)) {
            have = 0;
            continue;
        }
        if (have == 0 && !skipped) {
            p->above = i; /* the first free page from the top */
            skipped = true;
        }
        if (++have == run) {
            flip(p, i - 1, run);
            p->free -= run;
            return i - 1;
        }
    }
    return PAGES_NONE;
}

bool pages_take(struct pages *p, size_t first, size_t run)
{
    if (!is_all(p, first, run, false))
        return false;
    flip(p, first, run);
    p->free -= run;
    return true;
}

bool pages_free(struct pages *p, size_t first, size_t run)
{
    if (!is_all(p, first, run, true))
        return false;
    flip(p, first, run);
    p->free += run;
    if (p->above < first + run)
        p->above = first + run;
    return true;
}
