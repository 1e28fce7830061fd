/* The store's journal as bytes: halves, frames, sums. */
#include "journal.h"

#include <shm.h>

/* The first word: this, and the life whose half is valid. Zero: none. */
#define MAGIC 0x424a3031ull /* "BJ01" */

/* Before the first half: the first word, and what is done, who is under suspicion, how often. */
#define HEAD 64u
enum { HEAD_FIRST, HEAD_DOING, HEAD_SUSPECT, HEAD_ENDED };

/* Tells a request from none. */
#define DOING (1ull << 48)

/* So much more than the whole state may be done before that is written again. */
#define MORE (128u << 10)

struct item_head {
    uint32_t len;
    uint16_t kind;
    domid_t domid;
};

static size_t padded(size_t len)
{
    return (len + 7) & ~(size_t)7;
}

static uint64_t *word_at(const struct journal *j, uint32_t life, size_t at)
{
    return (uint64_t *)(void *)(j->area + HEAD + (life & 1) * j->half + at);
}

/* Not against anybody: whoever could write a frame could write its sum, too. */
static uint64_t sum_add(uint64_t sum, const uint64_t *words, size_t len)
{
    for (size_t i = 0; i < len / 8; i++) {
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 32;
    }
    return sum;
}

static uint64_t sum_begin(uint32_t life, size_t at)
{
    return (uint64_t)life << 32 | at;
}

void journal_open(struct journal *j, void *area, size_t len)
{
    *j = (struct journal){.area = area, .due = true};
    if (!area)
        return;
    j->half = ((len - HEAD) / 2) & ~(size_t)63;

    uint64_t first = shm_read64((const uint64_t *)area);

    j->life = (uint32_t)first;
    /* A reader that begins at the end of a half finds nothing. */
    if (first >> 32 != MAGIC)
        j->read_at = j->read_end = j->half;
}

/* ---- what ends lives ------------------------------------------------------------------------- */

static uint64_t head_read(const struct journal *j, unsigned which)
{
    return j->area ? shm_read64((const uint64_t *)(const void *)j->area + which) : 0;
}

static void head_write(struct journal *j, unsigned which, uint64_t value)
{
    if (j->area)
        shm_write64((uint64_t *)(void *)j->area + which, value);
}

unsigned journal_doing(struct journal *j, domid_t domid, uint32_t at)
{
    j->doing = DOING | (uint64_t)domid << 32 | at;
    head_write(j, HEAD_DOING, j->doing);
    return j->doing == j->suspect ? j->ended : 0;
}

void journal_done(struct journal *j)
{
    if (j->doing == 0)
        return;
    head_write(j, HEAD_DOING, 0);
    if (j->doing == j->suspect)
        head_write(j, HEAD_SUSPECT, j->suspect = 0);
    j->doing = 0;
}

bool journal_was_doing(const struct journal *j, domid_t *domid, uint32_t *at)
{
    uint64_t doing = head_read(j, HEAD_DOING);

    *domid = (domid_t)(doing >> 32);
    *at = (uint32_t)doing;
    return doing >> 48 == DOING >> 48;
}

void journal_suspect(struct journal *j, bool it)
{
    j->suspect = it ? head_read(j, HEAD_DOING) : 0;
    j->ended = it ? 1 : 0;
    if (it && j->suspect == head_read(j, HEAD_SUSPECT))
        j->ended += (unsigned)head_read(j, HEAD_ENDED);
    /* First of all: a life that ends in here does not count against it. */
    head_write(j, HEAD_DOING, 0);
    head_write(j, HEAD_ENDED, j->ended);
    head_write(j, HEAD_SUSPECT, j->suspect);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Goes into the frame at read_at: 1, 0 at the end, or an error. */
static int frame_open(struct journal *j)
{
    if (j->read_at > j->half - 8)
        return 0;

    size_t left = j->half - j->read_at - 8;
    const uint64_t *word = word_at(j, j->life, j->read_at);
    uint64_t head = shm_read64(word);
    size_t len = (uint32_t)head;

    if (head == 0)
        return 0;
    if (len == 0 || len % 8 != 0 || len > left ||
        head >> 32 != (uint32_t)sum_add(sum_begin(j->life, j->read_at), word + 1, len))
        return -XEN_EIO;
    j->read_at += 8;
    j->read_end = j->read_at + len;
    return 1;
}

int journal_read(struct journal *j, struct journal_item *item)
{
    if (!j->area)
        return 0;
    if (j->read_at >= j->read_end) {
        int got = frame_open(j);

        if (got <= 0)
            return got;
    }

    /* A frame is never empty, and both ends of an item are whole words. */
    const struct item_head *head =
        (const struct item_head *)(void *)word_at(j, j->life, j->read_at);
    size_t len = head->len;

    if (len > j->read_end - j->read_at - sizeof(*head))
        return -XEN_EIO;
    *item = (struct journal_item){head->len, head->kind, head->domid, (const uint8_t *)(head + 1)};
    j->read_at += sizeof(*head) + padded(len);
    return 1;
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint32_t life_now(const struct journal *j)
{
    return j->life + j->writing;
}

static void frame_begin(struct journal *j, size_t at)
{
    j->start = at;
    j->at = at + 8;
    j->sum = sum_begin(life_now(j), at);
}

void journal_add(struct journal *j, uint16_t kind, domid_t domid, const struct journal_part *parts,
                 unsigned count)
{
    struct item_head head = {0, kind, domid};
    static const uint8_t zeroes[8];

    if (!j->area || (j->due && !j->writing))
        return;
    for (unsigned i = 0; i < count; i++)
        head.len += (uint32_t)parts[i].len;

    size_t len = sizeof(head) + padded(head.len);

    /* Behind it stands the word that ends the half. */
    if (len > j->half - 8 - j->at) {
        j->due = true;
        return;
    }

    uint64_t *from = word_at(j, life_now(j), j->at);
    uint8_t *to = (uint8_t *)from;

    shm_copy_out(to, &head, sizeof(head));
    to += sizeof(head);
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].len == 0)
            continue;
        shm_copy_out(to, parts[i].bytes, parts[i].len);
        to += parts[i].len;
    }
    if (padded(head.len) > head.len)
        shm_copy_out(to, zeroes, padded(head.len) - head.len);
    j->sum = sum_add(j->sum, from, len);
    j->at += len;
}

/* The word behind the frame says that nothing follows; then the frame's own makes it count. */
static void frame_end(struct journal *j)
{
    uint64_t head = j->sum << 32 | (j->at - j->start - 8);

    shm_write64(word_at(j, life_now(j), j->at), 0);
    shm_write64(word_at(j, life_now(j), j->start), head);
}

bool journal_commit(struct journal *j)
{
    if (!j->area)
        return true;
    if (j->due || j->at > j->limit)
        return false;
    if (j->at == j->start + 8)
        return true;
    frame_end(j);
    frame_begin(j, j->at);
    return true;
}

void journal_spoil(struct journal *j)
{
    j->due = true;
}

void journal_begin(struct journal *j)
{
    j->writing = true;
    j->due = false;
    if (j->area)
        frame_begin(j, 0);
}

bool journal_end(struct journal *j)
{
    if (!j->area)
        return true;
    if (j->due) {
        /* What the other half tells is of the past. */
        shm_write64((uint64_t *)(void *)j->area, 0);
        j->area = NULL;
        return false;
    }
    frame_end(j);
    j->life++;
    j->writing = false;
    shm_write64((uint64_t *)(void *)j->area, MAGIC << 32 | j->life);
    j->limit = 2 * j->at + MORE;
    frame_begin(j, j->at);
    return true;
}
