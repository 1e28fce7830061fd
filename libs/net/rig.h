/*
 * Tests and fuzz targets: two guests (domains 2 and 3) and a net domain (1)
 * whose switch is a wire between their interfaces.
 */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>
#include <string.h>

#include <fake_hv.h>
#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "net_back.h"
#include "net_front.h"

#define RIG_BACK            1
#define RIG_GUESTS          2
#define RIG_GUEST(side)     (domid_t)(2 + (side))
#define RIG_PAGES           64u  /* of data to send, of each guest: references 100 ... */
#define RIG_BUFFERS         256u /* to receive into: references 400 ... */
#define RIG_TX(page)        (100u + (page))
#define RIG_RX(page)        (400u + (page))
#define RIG_RING(queue, rx) (20u + (queue)*2u + (rx))
#define RIG_BACK_PAGES      ((sizeof(struct net_back) + PAGE_SIZE - 1) / PAGE_SIZE)
#define RIG_FRAME_MAX       (NET_FRAME_MAX + 64u)

/* A guest and its interface. */
struct rig_side {
    struct net_back *back;
    struct net_redo *redo;
    void *space;
    struct net_link link;
    struct net_front front[NET_QUEUES_MAX];
    uint8_t *out; /* RIG_PAGES, granted for reading */
    uint8_t *in;  /* RIG_BUFFERS, granted for writing */
    uint32_t next_page;
    uint16_t next_id;
    const char *why;
};

struct rig {
    struct net_batch batch;
    struct rig_side sides[RIG_GUESTS];
    struct net_packet *kept[NET_TAKEN_MAX]; /* those that the wire holds on to */
    uint32_t kept_count;
    bool keep; /* the wire holds on to all, and passes none on */
    enum net_drop last_drop;
    struct net_tag tag; /* given to every frame */
    uint32_t passed;
    struct net_packet last; /* as it was passed */
};

static inline uint8_t *rig_out(struct rig_side *s, uint32_t page)
{
    return s->out + (size_t)page * PAGE_SIZE;
}

static inline void rig_make_guest(struct rig_side *s, domid_t domid, uint32_t queues, bool split)
{
    domid_t before = fake_enter(domid);

    s->link = (struct net_link){.peer = domid,
                                .rx_copy = true,
                                .rx_notify = true,
                                .scatter = true,
                                .gso4 = true,
                                .gso6 = true,
                                .checksum4 = true,
                                .checksum6 = true,
                                .queue_count = queues};
    s->out = memory_pages_alloc(RIG_PAGES);
    s->in = memory_pages_alloc(RIG_BUFFERS);
    for (uint32_t i = 0; i < RIG_PAGES; i++)
        fake_grant(domid, RIG_TX(i), RIG_BACK, rig_out(s, i), true);
    for (uint32_t i = 0; i < RIG_BUFFERS; i++)
        fake_grant(domid, RIG_RX(i), RIG_BACK, s->in + (size_t)i * PAGE_SIZE, false);
    for (uint32_t q = 0; q < queues; q++) {
        uint8_t *pages = memory_pages_alloc(2);
        evtchn_port_t tx = fake_port(domid, RIG_BACK);
        evtchn_port_t rx = split ? fake_port(domid, RIG_BACK) : tx;

        for (uint32_t i = 0; i < 2; i++)
            fake_grant(domid, RIG_RING(q, i), RIG_BACK, pages + (size_t)i * PAGE_SIZE, false);
        s->link.queues[q].tx_ref = RIG_RING(q, 0);
        s->link.queues[q].rx_ref = RIG_RING(q, 1);
        s->link.queues[q].tx_port = tx;
        s->link.queues[q].rx_port = rx;
        net_front_init(&s->front[q], pages, pages + PAGE_SIZE, tx, rx);
        event_open(tx);
        if (split)
            event_open(rx);
    }
    (void)fake_enter(before);
}

/* What the net domain has of its own, at the start of each life; its records survive. */
static inline void rig_make_back(struct rig *r)
{
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < RIG_GUESTS; i++) {
        struct rig_side *s = &r->sides[i];

        s->back = memory_pages_alloc(RIG_BACK_PAGES);
        s->space = memory_space_alloc(NET_BACK_SPACE);
        s->redo = (struct net_redo *)memory_survivor(
                      sizeof(struct net_redo[RIG_GUESTS * NET_QUEUES_MAX])) +
                  i * NET_QUEUES_MAX;
    }
}

/* New guests and a net domain; the caller may change the links before rig_connect. */
static inline void rig_init(struct rig *r, uint32_t queues, bool split)
{
    memset(r, 0, sizeof(*r));
    fake_reset();
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        rig_make_guest(&r->sides[i], RIG_GUEST(i), queues, split);
    rig_make_back(r);
}

static inline int rig_connect_side(struct rig *r, uint32_t side, bool adopt)
{
    struct rig_side *s = &r->sides[side];

    (void)fake_enter(RIG_BACK);
    net_back_init(s->back, s->space, &r->batch);
    return net_back_connect(s->back, &s->link, s->redo, adopt, &s->why);
}

static inline int rig_connect(struct rig *r, bool adopt)
{
    int failed = 0;

    r->batch.count = 0;
    for (uint32_t i = 0; i < RIG_GUESTS; i++) {
        int rc = rig_connect_side(r, i, adopt);

        if (rc < 0)
            failed = rc;
    }
    return failed;
}

/* The wire: a frame goes out at the other end. */
static inline void rig_pass(struct rig *r, uint32_t from, struct net_packet *p)
{
    struct net_port *to = &r->sides[1 - from].back->port;

    r->passed++;
    r->last = *p;
    if (r->keep && r->kept_count < NET_TAKEN_MAX) {
        r->kept[r->kept_count++] = p;
        return;
    }
    r->last_drop = to->driver->send(to, p, r->tag);
    if (r->last_drop == NET_DROP_NONE) {
        to->counters.out_packets++;
        to->counters.out_bytes += p->len;
    } else {
        to->counters.out_drops[r->last_drop]++;
    }
    net_packet_put(p);
}

/* One round of the net domain; whether it may have left something. */
static inline bool rig_round(struct rig *r)
{
    bool any = false;

    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        any = net_back_take(r->sides[i].back) || any;
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        for (struct net_packet *p; (p = net_back_next(r->sides[i].back));)
            rig_pass(r, i, p);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        r->sides[i].back->port.driver->flush(&r->sides[i].back->port);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        any = net_back_answer(r->sides[i].back) || any;
    return any;
}

static inline void rig_run(struct rig *r)
{
    for (unsigned rounds = 0; rig_round(r); rounds++)
        if (rounds > 1000)
            abort();
}

static inline void rig_let_go(struct rig *r)
{
    (void)fake_enter(RIG_BACK);
    while (r->kept_count > 0)
        net_packet_put(r->kept[--r->kept_count]);
}

static inline void rig_disconnect(struct rig *r)
{
    rig_let_go(r);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        net_back_close(r->sides[i].back);
    for (uint32_t i = 0; i < RIG_GUESTS; i++) {
        if (!net_back_is_drained(r->sides[i].back))
            abort();
        net_back_disconnect(r->sides[i].back);
    }
    if (fake_mappings(RIG_BACK) != 0)
        abort();
}

/* ---- the guests ----------------------------------------------------------------------------- */

/* What a frame of this seed has at a place. */
static inline uint8_t rig_byte(uint32_t seed, uint32_t at)
{
    return (uint8_t)(seed * 31 + at * 7 + (at >> 8));
}

struct rig_frame {
    uint32_t seed, len;
    uint32_t first;   /* bytes in the first slot; 0: as many as fit */
    uint16_t offset;  /* of each slot in its page */
    uint16_t flags;   /* of the first slot, besides more_data and extra_info */
    uint8_t gso_type; /* with an extra if not 0 */
    uint16_t gso_size;
};

/* Writes a frame into pages of the guest's and queues its slots. The slots used. */
static inline uint32_t rig_send(struct rig *r, uint32_t side, uint32_t queue,
                                const struct rig_frame *frame)
{
    struct rig_side *s = &r->sides[side];
    struct net_front *f = &s->front[queue];
    uint32_t done = 0, slots = 0;
    domid_t before = fake_enter(RIG_GUEST(side));

    while (done < frame->len) {
        uint32_t page = s->next_page++ % RIG_PAGES;
        uint32_t part = PAGE_SIZE - frame->offset;
        struct netif_tx_request slot = {.gref = RIG_TX(page), .offset = frame->offset};

        if (slots == 0 && frame->first != 0)
            part = frame->first;
        if (part > frame->len - done)
            part = frame->len - done;
        for (uint32_t i = 0; i < part; i++)
            rig_out(s, page)[frame->offset + i] = rig_byte(frame->seed, done + i);
        slot.id = s->next_id++;
        slot.size = (uint16_t)(slots == 0 ? frame->len : part);
        slot.flags = slots == 0 ? frame->flags : 0;
        if (slots == 0 && frame->gso_type != 0)
            slot.flags |= NETTXF_extra_info;
        done += part;
        if (done < frame->len)
            slot.flags |= NETTXF_more_data;
        net_front_slot(f, &slot);
        if (slots++ == 0 && frame->gso_type != 0) {
            struct netif_extra_info gso = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

            gso.u.gso.size = frame->gso_size;
            gso.u.gso.type = frame->gso_type;
            net_front_extra(f, &gso);
            slots++;
        }
    }
    (void)fake_enter(before);
    return slots;
}

static inline void rig_kick(struct rig *r, uint32_t side, uint32_t queue)
{
    domid_t before = fake_enter(RIG_GUEST(side));

    net_front_kick(&r->sides[side].front[queue]);
    (void)fake_enter(before);
}

/* Posts buffers: as many as the ring holds, or count. A buffer's id is its page. */
static inline void rig_post(struct rig *r, uint32_t side, uint32_t queue, uint32_t count)
{
    struct net_front *f = &r->sides[side].front[queue];
    domid_t before = fake_enter(RIG_GUEST(side));

    for (; count > 0 && net_front_rx_room(f) > 0; count--) {
        uint16_t id = f->rx.req_prod % RIG_BUFFERS;

        net_front_post(f, id, RIG_RX(id));
    }
    net_front_kick(f);
    (void)fake_enter(before);
}

/* The next answer's id and status are these. */
static inline bool rig_answered(struct rig *r, uint32_t side, uint16_t id, int16_t status)
{
    struct netif_tx_response response = {.status = 99};
    domid_t before = fake_enter(RIG_GUEST(side));
    int rc = net_front_answer(&r->sides[side].front[0], &response);

    (void)fake_enter(before);
    return rc == 1 && response.status == status && (status == NETIF_RSP_NULL || response.id == id);
}

/* Answers that are there, all of them with this status or NULL; UINT32_MAX: others. */
static inline uint32_t rig_answers(struct rig *r, uint32_t side, uint32_t queue, int16_t status)
{
    struct netif_tx_response response;
    domid_t before = fake_enter(RIG_GUEST(side));
    uint32_t count = 0;

    while (net_front_answer(&r->sides[side].front[queue], &response) == 1 && count != UINT32_MAX)
        count =
            response.status == status || response.status == NETIF_RSP_NULL ? count + 1 : UINT32_MAX;
    (void)fake_enter(before);
    return count;
}

/* Every buffer of a frame comes back in its own slot: extras stand behind the first. */
static inline bool rig_buffers_match(const struct net_front_frame *frame, uint32_t first)
{
    for (uint32_t i = 0; i < frame->count; i++)
        if (frame->buffers[i].id != (first + i + (i > 0 ? frame->spare_count : 0)) % RIG_BUFFERS)
            return false;
    return true;
}

/* Receives a frame's bytes into to (RIG_FRAME_MAX); its length, or -1: there is none, or broken. */
static inline int rig_receive(struct rig *r, uint32_t side, uint32_t queue,
                              struct net_front_frame *frame, uint8_t *to)
{
    struct rig_side *s = &r->sides[side];
    domid_t before = fake_enter(RIG_GUEST(side));
    uint32_t first = s->front[queue].rx.rsp_cons;
    int rc = net_front_receive(&s->front[queue], frame), len = 0;

    if (rc == 1 && side != 0 && !rig_buffers_match(frame, first))
        abort();
    for (uint32_t i = 0; rc == 1 && i < frame->count; i++) {
        if (frame->buffers[i].offset + (uint32_t)frame->buffers[i].len > PAGE_SIZE)
            abort();
        memcpy(to + len,
               s->in + (size_t)frame->buffers[i].id * PAGE_SIZE + frame->buffers[i].offset,
               frame->buffers[i].len);
        len += frame->buffers[i].len;
    }
    (void)fake_enter(before);
    return rc == 1 ? len : -1;
}

/* The next frame has this seed and length. */
static inline bool rig_received(struct rig *r, uint32_t side, uint32_t seed, uint32_t len)
{
    static uint8_t bytes[RIG_FRAME_MAX];
    struct net_front_frame frame;

    if (rig_receive(r, side, 0, &frame, bytes) != (int)len || frame.failed)
        return false;
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != rig_byte(seed, i))
            return false;
    return true;
}

static inline bool rig_quiet(struct rig *r, uint32_t side)
{
    struct net_front_frame frame;
    static uint8_t bytes[RIG_FRAME_MAX];

    return rig_receive(r, side, 0, &frame, bytes) < 0;
}

#endif
