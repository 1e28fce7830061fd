/* Moves: a hostile peer writes any index between our steps, at both ends of both kinds of ring. */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#define BYTES 64u
#define PAGE  4096u
#define SLOT  112u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pages of their own, so that a step past their end is seen. */
struct rig {
    uint8_t *stream;
    uint32_t *indices; /* prod, cons */
    void *page;
    struct ring_reader reader;
    struct ring_writer writer;
    struct ring_back back;
    struct ring_front front;
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void step_bytes(struct rig *rig, uint8_t move, uint8_t value)
{
    uint8_t buffer[BYTES * 2] = {0};
    size_t len = value % sizeof(buffer);
    int done = 0;

    if (move & 1)
        done = ring_reader_take(&rig->reader, buffer, len);
    else
        done = ring_writer_put(&rig->writer, buffer, len);
    must(done == -XEN_EIO || (done >= 0 && (size_t)done <= len && done <= (int)BYTES));
    (void)ring_reader_notify(&rig->reader);
}

static void step_back(struct rig *rig)
{
    uint8_t slot[SLOT];
    int pending = ring_back_rest(&rig->back);

    must(pending == -XEN_EIO || (pending >= 0 && pending <= (int)rig->back.count));
    if (pending <= 0)
        return;
    ring_back_take(&rig->back, slot);
    ring_back_answer(&rig->back, slot, 16);
    ring_back_publish(&rig->back);
    (void)ring_back_notify(&rig->back);
}

static void step_front(struct rig *rig)
{
    uint8_t slot[SLOT] = {0};
    int pending;

    if (ring_front_room(&rig->front) > 0)
        ring_front_ask(&rig->front, slot, sizeof(slot));
    (void)ring_front_publish(&rig->front);
    pending = ring_front_rest(&rig->front);
    must(pending == -XEN_EIO || (pending >= 0 && pending <= (int)rig->front.count));
    if (pending > 0)
        ring_front_take(&rig->front, slot, 16);
}

/* The peer's index: near the truth for small values, anything for large ones. */
static uint32_t claim(uint32_t now, uint8_t value)
{
    return value < 128 ? now + value - 64u : (uint32_t)value << 24 | value;
}

static void step(struct rig *rig, uint8_t move, uint8_t value)
{
    struct ring_header *header = rig->page;

    switch (move % 8) {
    case 0:
    case 1: step_bytes(rig, move, value); break;
    case 2: rig->indices[0] = claim(rig->indices[0], value); break;
    case 3: rig->indices[1] = claim(rig->indices[1], value); break;
    case 4: step_back(rig); break;
    case 5: step_front(rig); break;
    case 6: header->req_prod = claim(header->req_prod, value); break;
    default: header->rsp_prod = claim(header->rsp_prod, value); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {.stream = calloc(1, BYTES),
                      .indices = calloc(2, sizeof(uint32_t)),
                      .page = calloc(1, PAGE)};

    must(rig.stream && rig.indices && rig.page);
    ring_reader_init(&rig.reader, rig.stream, BYTES, &rig.indices[0], &rig.indices[1]);
    ring_writer_init(&rig.writer, rig.stream, BYTES, &rig.indices[0], &rig.indices[1]);
    ring_front_init(&rig.front, rig.page, PAGE, SLOT);
    must(ring_back_attach(&rig.back, rig.page, PAGE, SLOT) == 0);
    for (size_t i = 0; i + 1 < size; i += 2)
        step(&rig, data[i], data[i + 1]);
    free(rig.stream);
    free(rig.indices);
    free(rig.page);
    return 0;
}
