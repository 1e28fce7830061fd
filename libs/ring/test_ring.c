/* Rings: wrap-around, hostile indices, event thresholds. */
#include "ring.h"

#include <string.h>

#include "check.h"

struct pipe {
    uint8_t data[16];
    uint32_t cons;
    uint32_t prod;
};

struct slots {
    union {
        struct ring_header header;
        uint8_t pad[RING_HEADER];
    };
    uint32_t slot[10][4];
};

TEST(bytes_wrap)
{
    struct pipe p = {.cons = UINT32_MAX - 3, .prod = UINT32_MAX - 3};
    struct ring_reader r;
    struct ring_writer w;
    char got[32] = {0};

    ring_reader_init(&r, p.data, sizeof(p.data), &p.prod, &p.cons);
    ring_writer_init(&w, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(ring_reader_take(&r, got, 4) == 0);
    EXPECT(ring_writer_put(&w, "0123456789abcdefgh", 18) == 16);
    EXPECT(ring_writer_put(&w, "x", 1) == 0);
    EXPECT(ring_reader_count(&r) == 16);
    EXPECT(ring_reader_take(&r, got, 5) == 5);
    EXPECT(ring_writer_put(&w, "ABCDEFGH", 8) == 5);
    EXPECT(ring_reader_take(&r, got + 5, 20) == 16);
    EXPECT(memcmp(got, "0123456789abcdefABCDE", 21) == 0);
    EXPECT(p.prod == p.cons && p.cons == 17);
}

TEST(bytes_broken_peer)
{
    struct pipe p = {.prod = 17};
    struct ring_reader r;
    struct ring_writer w;
    char got[32];

    ring_reader_init(&r, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(ring_reader_take(&r, got, 32) == -XEN_EIO);
    p.prod = UINT32_MAX;
    EXPECT(ring_reader_count(&r) == -XEN_EIO);
    p = (struct pipe){.cons = 1};
    ring_writer_init(&w, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(ring_writer_put(&w, "a", 1) == -XEN_EIO);
}

TEST(a_stalled_writer_is_told)
{
    struct pipe p = {0};
    struct ring_reader r;
    struct ring_writer w;
    char got[32];

    ring_reader_init(&r, p.data, sizeof(p.data), &p.prod, &p.cons);
    ring_writer_init(&w, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(ring_writer_put(&w, "0123456789", 10) == 10);
    EXPECT(ring_reader_take(&r, got, 4) == 4 && !ring_reader_notify(&r));
    EXPECT(ring_writer_put(&w, "0123456789abcdef", 16) == 10);
    EXPECT(ring_reader_take(&r, got, 4) == 4 && ring_reader_notify(&r));
    EXPECT(!ring_reader_notify(&r));

    /* It fills the ring by the index from before our last take, and we see that later. */
    struct ring_writer old = w;
    uint32_t seen = p.cons;

    EXPECT(ring_reader_take(&r, got, 2) == 2);
    (void)ring_reader_notify(&r);
    old.cons = &seen;
    EXPECT(ring_writer_put(&old, "zzzzzzzz", 8) == 4);
    EXPECT(ring_reader_take(&r, got, 20) == 14 && ring_reader_notify(&r));
}

TEST(own_index_is_not_read_back)
{
    struct pipe p = {.prod = 4};
    struct ring_reader r;
    char got[16];

    memcpy(p.data, "abcd", 4);
    ring_reader_init(&r, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(ring_reader_take(&r, got, 2) == 2);
    p.cons = 999;
    EXPECT(ring_reader_take(&r, got, 2) == 2 && got[0] == 'c');
    EXPECT(p.cons == 4);
}

TEST(slots_there_and_back)
{
    struct slots page;
    struct ring_front f;
    struct ring_back b;
    uint32_t word[4] = {7, 8, 9, 10};

    memset(&page, 0xee, sizeof(page));
    ring_front_init(&f, &page, sizeof(page), 16);
    EXPECT(f.count == 8 && ring_front_room(&f) == 8);
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == 0);
    for (uint32_t i = 0; i < 20; i++) {
        word[0] = i;
        ring_front_ask(&f, word, sizeof(word));
        EXPECT(ring_front_publish(&f));
        EXPECT(ring_back_pending(&b) == 1);
        ring_back_take(&b, word);
        EXPECT(word[0] == i && ring_back_rest(&b) == 0);
        word[0] += 100;
        ring_back_answer(&b, word, 8);
        EXPECT(ring_front_pending(&f) == 0);
        ring_back_publish(&b);
        EXPECT(ring_back_notify(&b));
        EXPECT(!ring_back_notify(&b));
        EXPECT(ring_front_pending(&f) == 1);
        ring_front_take(&f, word, 8);
        EXPECT(word[0] == i + 100 && ring_front_rest(&f) == 0);
    }
}

TEST(slots_batch_one_event)
{
    struct slots page;
    struct ring_front f;
    struct ring_back b;
    uint32_t word[4] = {0};

    ring_front_init(&f, &page, sizeof(page), 16);
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == 0);
    for (unsigned i = 0; i < 8; i++)
        ring_front_ask(&f, word, sizeof(word));
    EXPECT(ring_front_room(&f) == 0);
    EXPECT(ring_front_publish(&f));
    ring_back_take(&b, word);
    /* Not resting: the front end need not tell about more. */
    EXPECT(!ring_front_publish(&f));
    for (unsigned i = 1; i < 8; i++)
        ring_back_take(&b, word);
    EXPECT(ring_back_rest(&b) == 0);
    for (unsigned i = 0; i < 8; i++) {
        ring_back_answer(&b, word, 8);
        ring_back_publish(&b);
    }
    EXPECT(ring_back_notify(&b));
}

TEST(slots_broken_front)
{
    struct slots page;
    struct ring_front f;
    struct ring_back b;
    uint32_t word[4];

    ring_front_init(&f, &page, sizeof(page), 16);
    page.header.req_prod = 9;
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == -XEN_EIO);
    page.header.req_prod = 3;
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == 0);
    ring_back_take(&b, word);
    ring_back_take(&b, word);
    page.header.req_prod = 1;
    EXPECT(ring_back_pending(&b) == -XEN_EIO);
    /* Two requests are unanswered: their slots cannot be reused yet. */
    page.header.req_prod = 9;
    EXPECT(ring_back_pending(&b) == -XEN_EIO);
    page.header.req_prod = 8;
    EXPECT(ring_back_rest(&b) == 6);
}

TEST(slots_broken_back)
{
    struct slots page;
    struct ring_front f;
    uint32_t word[4] = {0};

    ring_front_init(&f, &page, sizeof(page), 16);
    ring_front_ask(&f, word, sizeof(word));
    page.header.rsp_prod = 1;
    EXPECT(ring_front_pending(&f) == -XEN_EIO);
    (void)ring_front_publish(&f);
    EXPECT(ring_front_pending(&f) == 1);
    page.header.rsp_prod = 2;
    EXPECT(ring_front_rest(&f) == -XEN_EIO);
}

TEST(adoption_continues_at_the_responses)
{
    struct slots page;
    struct ring_front f;
    struct ring_back b;
    uint32_t word[4] = {0};

    ring_front_init(&f, &page, sizeof(page), 16);
    for (uint32_t i = 0; i < 3; i++) {
        word[0] = i;
        ring_front_ask(&f, word, sizeof(word));
    }
    (void)ring_front_publish(&f);
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == 0);
    ring_back_take(&b, word);
    ring_back_take(&b, word);
    ring_back_answer(&b, word, 8);
    ring_back_publish(&b);
    EXPECT(ring_back_attach(&b, &page, sizeof(page), 16) == 0);
    EXPECT(ring_back_pending(&b) == 2);
    ring_back_take(&b, word);
    EXPECT(word[0] == 1);
}
