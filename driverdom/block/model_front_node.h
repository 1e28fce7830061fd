/* The nodes of a block device: as the toolstack makes them, and a front end's half of the
 * handshake. */
#ifndef MODEL_FRONT_NODE_H
#define MODEL_FRONT_NODE_H

#include <stdio.h>

#include <fake_builder.h>

#include "model_front_ring.h"

static const char *front_path(const struct front *f, bool back, const char *name)
{
    static char paths[2][96];
    char *path = paths[back];
    unsigned number = 51712 + 16 * f->index;

    if (back)
        (void)snprintf(path, sizeof(paths[0]), "/local/domain/%u/backend/vbd/%u/%u%s%s", f->back,
                       f->domid, number, *name ? "/" : "", name);
    else
        (void)snprintf(path, sizeof(paths[0]), "/local/domain/%u/device/vbd/%u%s%s", f->domid,
                       number, *name ? "/" : "", name);
    return path;
}

static unsigned front_state(const struct front *f, bool back)
{
    const char *state = builder_read(front_path(f, back, "state"));

    return state[0] >= '0' && state[0] <= '9' ? (unsigned)(state[0] - '0') : 0;
}

static void front_write_back(const struct front *f, const char *name, const char *value)
{
    builder_write(front_path(f, true, name), value, f->back, f->domid);
}

static void front_write(const struct front *f, const char *name, const char *value)
{
    builder_write(front_path(f, false, name), value, f->domid, f->back);
}

static void front_write_number(const struct front *f, const char *name, uint32_t value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", value);
    front_write(f, name, text);
}

/* As the toolstack does. */
static inline void front_add(const struct front *f)
{
    char params[32];

    (void)snprintf(params, sizeof(params), "/dev/nvme0n1p%u", f->index + 1);
    front_write_back(f, "", "");
    front_write(f, "", "");
    front_write(f, "state", "1");
    front_write_back(f, "params", params);
    front_write_back(f, "mode", "w");
    front_write_back(f, "frontend", front_path(f, false, ""));
    front_write_back(f, "online", "1");
    front_write_back(f, "state", "1");
}

static void front_tell(struct front *f, uint32_t requests)
{
    front_open(f, requests);
    for (uint32_t q = 0; q < f->queue_count; q++) {
        for (uint32_t i = 0; i < 1u << f->ring_order; i++) {
            char name[56], queue[24] = "";

            if (f->queue_count > 1)
                (void)snprintf(queue, sizeof(queue), "queue-%u/", q);
            (void)snprintf(name, sizeof(name), f->ring_order ? "%sring-ref%u" : "%sring-ref", queue,
                           i);
            front_write_number(f, name, FRONT_RING(f) + q * 2 + i);
            (void)snprintf(name, sizeof(name), "%sevent-channel", queue);
            front_write_number(f, name, f->queues[q].ring.port);
        }
    }
    front_write(f, "protocol", "x86_64-abi");
    front_write_number(f, "feature-persistent", f->persistent);
    front_write_number(f, "multi-queue-num-queues", f->queue_count);
    front_write_number(f, "ring-page-order", f->ring_order);
    front_write(f, "state", "3");
}

/*
 * A front end's half of the handshake: it connects, and makes so many requests in
 * each queue, or (closes) it disconnects after that. Whether it did anything.
 */
static inline bool front_shake(struct front *f, bool closes, uint32_t requests)
{
    unsigned own = front_state(f, false), back = front_state(f, true), next = own;

    if (!closes && own == 1 && back == 2) {
        front_tell(f, requests);
        return true;
    }
    if (own == 3 && back == 4)
        next = 4;
    else if (closes && own == 4 && front_is_idle(f))
        next = 5;
    else if (own == 5 && back >= 5)
        next = 6;
    if (next != own)
        front_write_number(f, "state", next);
    return next != own;
}

#endif
