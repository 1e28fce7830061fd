/* Pending ports in turn. */
#include <scan.h>

static uint64_t bit_of(unsigned port)
{
    return 1ull << (port % 64);
}

void scan_open(struct scan *s, struct scan_words w, unsigned port)
{
    __atomic_fetch_and(&w.mask[port / 64], ~bit_of(port), __ATOMIC_SEQ_CST);
    s->ready |= 1ull << (port / 64); /* it may be pending already */
}

void scan_shut(struct scan_words w, unsigned port)
{
    __atomic_fetch_or(&w.mask[port / 64], bit_of(port), __ATOMIC_SEQ_CST);
}

void scan_collect(struct scan *s, struct scan_words w)
{
    __atomic_store_n(w.upcall, 0, __ATOMIC_SEQ_CST);
    s->ready |= __atomic_exchange_n(w.selector, 0, __ATOMIC_SEQ_CST);
}

static uint64_t bits_of(const struct scan *s, struct scan_words w, unsigned word)
{
    if ((s->ready >> word & 1) == 0)
        return 0;
    return __atomic_load_n(&w.pending[word], __ATOMIC_SEQ_CST) &
           ~__atomic_load_n(&w.mask[word], __ATOMIC_SEQ_CST);
}

static unsigned take(struct scan *s, struct scan_words w, unsigned word, uint64_t bits)
{
    unsigned bit = (unsigned)__builtin_ctzll(bits);

    __atomic_fetch_and(&w.pending[word], ~(1ull << bit), __ATOMIC_SEQ_CST);
    s->word = word;
    s->bit = bit;
    return word * 64 + bit;
}

unsigned scan_next(struct scan *s, struct scan_words w)
{
    scan_collect(s, w);
    if (s->ready == 0)
        return SCAN_NONE;

    /* Behind the last one in its word, the other words, then the whole of its word. */
    uint64_t behind = s->bit == 63 ? 0 : UINT64_MAX << (s->bit + 1);
    uint64_t bits = bits_of(s, w, s->word) & behind;

    if (bits != 0)
        return take(s, w, s->word, bits);
    for (unsigned step = 1; step <= SCAN_WORDS; step++) {
        unsigned word = (s->word + step) % SCAN_WORDS;

        bits = bits_of(s, w, word);
        if (bits != 0)
            return take(s, w, word, bits);
        s->ready &= ~(1ull << word);
    }
    return SCAN_NONE;
}

bool scan_take(struct scan_words w, unsigned port)
{
    uint64_t bit = bit_of(port);

    if ((__atomic_load_n(&w.mask[port / 64], __ATOMIC_SEQ_CST) & bit) != 0)
        return false;
    return (__atomic_fetch_and(&w.pending[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}
