/*
 * A guest with a network interface, for tests that kill the back end: what it
 * sends, what it wants of answers and of what comes in. It looks only when an
 * event tells it to.
 */
#ifndef MODEL_GUEST_H
#define MODEL_GUEST_H

#include <string.h>

#include "check.h"
#include "rig.h"

#define FRAME_LEN  9000u  /* at most */
#define FRAMES_MAX 65536u /* of each guest, in one world */
#define SLOTS      256u

struct guest {
    unsigned index, deaths; /* of the back end, so far */
    struct guest *peer;
    uint64_t seed;
    struct rig_side side;
    bool connected, broken;
    uint32_t left, burst;           /* frames to send: in all, and until all is quiet */
    bool taken[RIG_PAGES];          /* pages, by which slots are called */
    bool posted[RIG_BUFFERS];       /* buffers, likewise */
    uint16_t out[SLOTS], in[SLOTS]; /* what is in each slot of the rings */
    uint32_t out_seen, in_seen;     /* answers that were looked at when they appeared */
    uint32_t out_taken;             /* answers that it has taken */
    uint32_t sent;                  /* frames, by number */
    uint8_t came[FRAMES_MAX];       /* of its own, at the other guest */
};

static unsigned guest_draw(struct guest *g, unsigned below)
{
    g->seed = g->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(g->seed >> 33) % below;
}

/* The first mistake is told of; then the guest does nothing more with its interface. */
static void guest_break(struct guest *g, int line, const char *what)
{
    if (!g->broken)
        check_fail(__FILE__, line, what);
    g->broken = true;
}

#define GUEST_EXPECT(g, x) ((x) ? (void)0 : guest_break(g, __LINE__, #x))

static uint32_t frame_make(unsigned from, uint32_t number, uint32_t len, uint8_t *bytes)
{
    const uint8_t start[] = {
        0x52, 0x54, 0, 0, 0, (uint8_t)(1 - from), 0x52, 0x54, 0, 0, 0, (uint8_t)from, 0x12, 0x34};

    memcpy(bytes, start, sizeof(start));
    memcpy(bytes + 16, &number, 4);
    memcpy(bytes + 20, &len, 4);
    for (uint32_t i = 24; i < len; i++)
        bytes[i] = rig_byte(number, i);
    return len;
}

static void frame_check(struct guest *g, const uint8_t *bytes, uint32_t len)
{
    static uint8_t right[FRAME_LEN];
    struct guest *from = g->peer;
    uint32_t number, said;

    memcpy(&number, bytes + 16, 4);
    memcpy(&said, bytes + 20, 4);
    GUEST_EXPECT(g, len >= 60 && said == len && number < from->sent);
    if (g->broken)
        return;
    (void)frame_make(g->peer->index, number, len, right);
    GUEST_EXPECT(g, memcmp(right, bytes, len) == 0);
    GUEST_EXPECT(g, from->came[number] <= g->deaths);
    if (from->came[number] < UINT8_MAX)
        from->came[number]++;
}

/* Sends one, in slots of any size, if there are pages for it. */
static void guest_send(struct guest *g)
{
    static uint8_t bytes[FRAME_LEN];
    struct net_front *f = &g->side.front[0];
    uint32_t free = 0, done = 0, page = 0;
    uint32_t len = frame_make(g->index, g->sent,
                              60 + guest_draw(g, guest_draw(g, 2) ? 1455 : FRAME_LEN - 59), bytes);

    for (uint32_t n = 0; n < RIG_PAGES; n++)
        free += !g->taken[n];
    if (free < 6 || net_front_tx_room(f) < 6)
        return;
    while (done < len) {
        uint32_t part = done == 0 && guest_draw(g, 2) ? 66 : PAGE_SIZE;

        while (g->taken[page])
            page++;
        part = part < len - done ? part : len - done;
        struct netif_tx_request slot = {.gref = RIG_TX(page),
                                        .id = (uint16_t)page,
                                        .size = (uint16_t)(done == 0 ? len : part),
                                        .flags = done + part < len ? NETTXF_more_data : 0};

        memcpy(rig_out(&g->side, page), bytes + done, part);
        g->taken[page] = true;
        g->out[f->tx.req_prod % SLOTS] = (uint16_t)page;
        net_front_slot(f, &slot);
        done += part;
    }
    g->sent++;
    g->left--;
    g->burst--;
}

static bool guest_has_back(const struct guest *g, grant_ref_t ref)
{
    return !(fake_grant_table(RIG_GUEST(g->index))[ref].flags & (GTF_reading | GTF_writing));
}

/* Nobody has any of its pages, as far as it can see. */
static inline bool guest_is_let_go(const struct guest *g)
{
    uint16_t marks = 0;

    for (grant_ref_t ref = RIG_RING(0, 0); ref < RIG_RX(RIG_BUFFERS); ref++)
        marks |= fake_grant_table(RIG_GUEST(g->index))[ref].flags;
    return !(marks & (GTF_reading | GTF_writing));
}

static bool guest_answers(struct guest *g)
{
    struct netif_tx_response r;
    bool any = false;
    int rc;

    while (!g->broken && (rc = net_front_answer(&g->side.front[0], &r)) != 0) {
        GUEST_EXPECT(g, rc == 1 && r.id < RIG_PAGES && g->taken[r.id]);
        GUEST_EXPECT(g, r.status == NETIF_RSP_OKAY && guest_has_back(g, RIG_TX(r.id)));
        if (!g->broken)
            g->taken[r.id] = false;
        g->out_taken++;
        any = true;
    }
    return any;
}

static void buffer_back(struct guest *g, uint16_t id)
{
    GUEST_EXPECT(g, id < RIG_BUFFERS && g->posted[id] && guest_has_back(g, RIG_RX(id)));
    if (id < RIG_BUFFERS)
        g->posted[id] = false;
}

static bool guest_receives(struct guest *g)
{
    static uint8_t bytes[RIG_FRAME_MAX];
    struct net_front_frame frame;
    bool any = false;
    int rc;

    while (!g->broken && (rc = net_front_receive(&g->side.front[0], &frame)) != 0) {
        uint32_t len = 0;

        any = true;
        GUEST_EXPECT(g, rc == 1);
        for (uint32_t n = 0; !g->broken && n < frame.count; n++) {
            buffer_back(g, frame.buffers[n].id);
            memcpy(bytes + len,
                   g->side.in + (size_t)frame.buffers[n].id * PAGE_SIZE + frame.buffers[n].offset,
                   frame.buffers[n].len);
            len += frame.buffers[n].len;
        }
        if (!g->broken && !frame.failed)
            frame_check(g, bytes, len);
    }
    return any;
}

static void guest_post(struct guest *g)
{
    struct net_front *f = &g->side.front[0];

    for (uint16_t id = 0; id < RIG_BUFFERS && net_front_rx_room(f) > 0; id++) {
        if (g->posted[id])
            continue;
        g->posted[id] = true;
        g->in[f->rx.req_prod % SLOTS] = id;
        net_front_post(f, id, RIG_RX(id));
    }
}

/* Answers that just appeared: nobody is at their pages any more. */
static void guest_look(struct guest *g)
{
    const struct net_front *f = &g->side.front[0];

    if (!g->connected || g->broken)
        return;
    for (; g->out_seen != ((const struct ring_header *)f->tx.page)->rsp_prod; g->out_seen++)
        GUEST_EXPECT(g, guest_has_back(g, RIG_TX(g->out[g->out_seen % SLOTS])));
    for (; g->in_seen != ((const struct ring_header *)f->rx.page)->rsp_prod; g->in_seen++)
        GUEST_EXPECT(g, guest_has_back(g, RIG_RX(g->in[g->in_seen % SLOTS])));
}

/* Looks if it was told, sends; whether there was anything. */
static bool guest_step(struct guest *g)
{
    struct net_front *f = &g->side.front[0];
    domid_t before = fake_enter(RIG_GUEST(g->index));
    bool any = false;

    guest_look(g);
    if (g->connected && !g->broken) {
        bool tx = event_wait_port(f->tx_port, 0) != EVENT_NONE;
        bool rx = f->rx_port == f->tx_port ? tx : event_wait_port(f->rx_port, 0) != EVENT_NONE;

        any = tx && guest_answers(g);
        any = (rx && guest_receives(g)) || any;
        guest_post(g);
        for (uint32_t sent = g->sent; g->left > 0 && g->burst > 0 && guest_draw(g, 4) > 0;
             sent = g->sent) {
            guest_send(g);
            if (g->sent == sent)
                break;
            any = true;
        }
        net_front_kick(f);
    }
    (void)fake_enter(before);
    return any;
}

/* Everybody sleeps, and all is answered: it goes on, if it has not done so. */
static bool guest_wake(struct guest *g)
{
    if (!g->connected || g->broken || g->left == 0 || g->burst > 0 ||
        g->out_taken != g->side.front[0].tx.req_prod)
        return false;
    g->burst = 1 + guest_draw(g, 6);
    return true;
}

static inline bool guest_is_idle(const struct guest *g)
{
    return g->broken || (g->left == 0 && g->out_taken == g->side.front[0].tx.req_prod);
}

#endif
