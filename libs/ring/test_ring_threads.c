/* The two ends of rings on two threads; with the thread sanitizer it also checks their order. */
#include "ring.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "check.h"

#define BYTES 200000u
#define SLOTS 20000u

struct pipe {
    uint8_t data[64];
    uint32_t cons;
    uint32_t prod;
};

struct slots {
    union {
        struct ring_header header;
        uint8_t pad[RING_HEADER];
    };
    uint32_t slot[8][4];
};

static void *write_bytes(void *context)
{
    struct pipe *p = context;
    struct ring_writer w;
    uint32_t sent = 0;

    ring_writer_init(&w, p->data, sizeof(p->data), &p->prod, &p->cons);
    while (sent < BYTES) {
        uint8_t chunk[7];
        uint32_t len = BYTES - sent < sizeof(chunk) ? BYTES - sent : (uint32_t)sizeof(chunk);

        for (uint32_t i = 0; i < len; i++)
            chunk[i] = (uint8_t)((sent + i) % 251);

        int done = ring_writer_put(&w, chunk, len);

        if (done <= 0)
            sched_yield();
        else
            sent += (uint32_t)done;
    }
    return NULL;
}

TEST(bytes_between_threads)
{
    static struct pipe p;
    struct ring_reader r;
    pthread_t writer;
    uint32_t got = 0;
    bool same = true;

    ring_reader_init(&r, p.data, sizeof(p.data), &p.prod, &p.cons);
    EXPECT(pthread_create(&writer, NULL, write_bytes, &p) == 0);
    while (got < BYTES) {
        uint8_t chunk[11];
        int done = ring_reader_take(&r, chunk, sizeof(chunk));

        for (int i = 0; i < done; i++)
            same = same && chunk[i] == (uint8_t)((got + (uint32_t)i) % 251);
        if (done <= 0)
            sched_yield();
        else
            got += (uint32_t)done;
    }
    EXPECT(pthread_join(writer, NULL) == 0);
    EXPECT(same && p.prod == BYTES && p.cons == BYTES);
}

static void *answer_slots(void *context)
{
    struct ring_back b;
    uint32_t answered = 0;

    if (ring_back_attach(&b, context, sizeof(struct slots), 16) != 0)
        return NULL;
    while (answered < SLOTS) {
        uint32_t word[4];

        if (ring_back_rest(&b) <= 0) {
            sched_yield();
            continue;
        }
        ring_back_take(&b, word);
        word[0] += word[1];
        ring_back_answer(&b, word, 8);
        ring_back_publish(&b);
        (void)ring_back_notify(&b);
        answered++;
    }
    return context;
}

TEST(slots_between_threads)
{
    static struct slots page;
    struct ring_front f;
    pthread_t back;
    void *ended = NULL;
    uint32_t asked = 0;
    uint32_t taken = 0;
    bool same = true;

    ring_front_init(&f, &page, sizeof(page), 16);
    EXPECT(pthread_create(&back, NULL, answer_slots, &page) == 0);
    while (taken < SLOTS) {
        while (asked < SLOTS && ring_front_room(&f) > 0) {
            uint32_t word[4] = {asked, 3, 0, 0};

            ring_front_ask(&f, word, sizeof(word));
            asked++;
        }
        (void)ring_front_publish(&f);

        int pending = ring_front_rest(&f);

        if (pending <= 0)
            sched_yield();
        for (; pending > 0; pending--) {
            uint32_t word[2];

            ring_front_take(&f, word, sizeof(word));
            same = same && word[0] == taken + 3;
            taken++;
        }
    }
    EXPECT(pthread_join(back, &ended) == 0);
    EXPECT(same && ended != NULL);
}
