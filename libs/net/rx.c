/*
 * Frames into receive buffers: reserved, copied, answered. The order of stores is
 * tests/model/net_rx.pml's.
 */
#include "net_rx.h"

#include <string.h>

#include <abi/addr.h>

#include <hcall.h>
#include <shm.h>

#include "net_layout.h"

/* Stock front ends take one buffer less if the first holds more than they copy out of it. */
#define FIRST_COPIED 256u

/* Where extras can stand in a frame, by bit: there are two kinds. */
#define EXTRA_SLOTS 6u

static struct net_rx_frame *frame_at(struct net_rx *r, uint32_t n)
{
    return &r->frames[(r->oldest + n) % NET_RX_FRAMES];
}

static bool is_waitable(const struct net_rx *r)
{
    return r->notify && !r->stalled && r->waiting < NET_RX_WAIT_MAX;
}

/* ---- torn answers --------------------------------------------------------------------------- */

static void slot_write(struct net_rx *r, uint32_t n, const struct netif_rx_response *response)
{
    shm_copy_out(ring_back_slot(&r->ring, n), response, sizeof(*response));
}

static void answer_error(struct net_rx *r, uint32_t slots, const uint16_t *ids)
{
    for (uint32_t i = 0; i < slots; i++)
        slot_write(r, i, &(struct netif_rx_response){.id = ids[i], .status = NETIF_RSP_ERROR});
    ring_back_publish_many(&r->ring, slots);
}

/*
 * The references of a frame whose answer was begun are lost, its buffers are not:
 * the front end posts again what is answered with an error. An answer has its id
 * where the request has it, but an extra has none.
 */
static void redo_finish(struct net_rx *r)
{
    uint16_t ids[NET_TX_SLOTS_MAX];
    struct net_redo_answer answer;
    int pending = ring_back_pending(&r->ring);

    if (pending < 0 || !net_redo_read(r->redo, r->ring.rsp_prod, (uint32_t)pending, &answer))
        return;
    for (uint32_t i = 0; i < answer.slots; i++) {
        const struct netif_rx_request *slot = ring_back_slot(&r->ring, i);

        if (answer.extras & EXTRA_SLOTS & 1u << i)
            ids[i] = (uint16_t)(answer.ids >> (16 * (i - 1)));
        else
            ids[i] = shm_read16(&slot->id);
    }
    answer_error(r, answer.slots, ids);
    r->ring.req_cons += answer.slots;
}

int net_rx_attach(struct net_rx *r, void *page, const struct net_rx_setup *setup, bool adopt)
{
    memset(r, 0, sizeof(*r));
    r->redo = setup->redo;
    r->batch = setup->batch;
    r->counters = setup->counters;
    r->peer = setup->peer;
    r->notify = setup->notify;
    r->scatter = setup->scatter;
    r->headroom = setup->headroom;

    int rc = ring_back_attach(&r->ring, page, PAGE_SIZE, NET_RX_SLOT_SIZE);

    if (rc < 0)
        return rc;
    if (adopt)
        redo_finish(r);
    else
        net_redo_clear(r->redo);
    return 0;
}

/* ---- into buffers --------------------------------------------------------------------------- */

static bool frame_lay(const struct net_rx *r, struct net_rx_frame *frame, struct net_parts *parts,
                      struct net_layout *layout)
{
    uint32_t room = PAGE_SIZE - r->headroom;

    net_parts_of(parts, frame->packet, frame->tag, frame->front);
    if (!net_layout_choose(layout, parts, room, r->scatter ? NET_SLOTS_MAX : 1))
        return false;
    if (layout->count == NET_SLOTS_MAX && layout->lens[0] > FIRST_COPIED &&
        !net_layout_choose(layout, parts, room, NET_SLOTS_MAX - 1))
        return false;
    frame->headroom = r->headroom;
    frame->extras = (uint8_t)((frame->packet->gso != NET_GSO_NONE) + (r->headroom > 0));
    frame->slots = (uint8_t)(layout->count + frame->extras);
    return true;
}

/* The frame's buffers: those of extras, behind the first, stay empty. */
static void slots_take(struct net_rx *r, const struct net_rx_frame *frame,
                       const struct net_layout *layout, grant_ref_t *refs)
{
    uint32_t data = 0;

    for (uint32_t i = 0; i < frame->slots; i++) {
        bool is_extra = i >= 1 && i <= frame->extras;
        uint32_t slot = r->ring.req_cons % NET_RX_SLOTS;
        struct netif_rx_request request;

        ring_back_take(&r->ring, &request);
        r->slots[slot].id = request.id;
        r->slots[slot].len = is_extra ? 0 : layout->lens[data];
        if (!is_extra)
            refs[data++] = request.gref;
    }
}

static void copies_queue(struct net_rx *r, struct net_rx_frame *frame,
                         const struct net_parts *parts, bool tight, const grant_ref_t *refs)
{
    struct net_layout l;

    net_layout_begin(&l, PAGE_SIZE - frame->headroom, tight);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct net_place from = parts->parts[i].from;

        for (uint32_t left = parts->parts[i].len; left > 0;) {
            uint32_t part = net_layout_step(&l, left);
            uint32_t offset = frame->headroom + l.lens[l.count - 1] - part;

            net_batch_copy(r->batch, from,
                           net_place_granted(r->peer, refs[l.count - 1], (uint16_t)offset), part,
                           &frame->failed);
            if (from.local)
                from.local = (uint8_t *)from.local + part;
            else
                from.offset = (uint16_t)(from.offset + part);
            left -= part;
        }
    }
}

enum fill { FILL_DONE, FILL_NO_BUFFER, FILL_TOO_LONG };

/* Gives a frame its buffers, or, if there are not enough, asks for an event when there are. */
static enum fill frame_fill(struct net_rx *r, struct net_rx_frame *frame)
{
    grant_ref_t refs[NET_SLOTS_MAX];
    struct net_parts parts;
    struct net_layout layout;

    if (!frame_lay(r, frame, &parts, &layout))
        return FILL_TOO_LONG;

    bool waits = r->waiting > 0 || is_waitable(r);
    int pending =
        waits ? ring_back_rest_until(&r->ring, frame->slots) : ring_back_pending(&r->ring);

    if (pending < frame->slots) {
        r->broken = r->broken || pending < 0;
        return FILL_NO_BUFFER;
    }
    slots_take(r, frame, &layout, refs);
    copies_queue(r, frame, &parts, layout.tight, refs);
    r->stalled = false;
    return FILL_DONE;
}

enum net_drop net_rx_send(struct net_rx *r, struct net_packet *packet, struct net_tag tag)
{
    struct net_rx_frame *frame = frame_at(r, r->filled + r->waiting);
    enum fill fill = FILL_NO_BUFFER;

    if (r->broken)
        return NET_DROP_LINK;
    if (r->filled + r->waiting == NET_RX_FRAMES)
        return NET_DROP_NO_BUFFER;
    *frame = (struct net_rx_frame){.packet = packet, .tag = tag};
    if (r->waiting == 0)
        fill = frame_fill(r, frame);
    if (fill == FILL_TOO_LONG)
        return NET_DROP_TOO_LONG;
    if (r->broken)
        return NET_DROP_LINK;
    if (fill == FILL_NO_BUFFER && !is_waitable(r))
        return NET_DROP_NO_BUFFER;
    net_packet_get(packet);
    if (fill == FILL_DONE)
        r->filled++;
    else
        r->waiting++;
    return NET_DROP_NONE;
}

/* The switch has counted it as sent. */
static void frame_lose(struct net_rx *r, struct net_rx_frame *frame, enum net_drop why)
{
    r->counters->out_packets--;
    r->counters->out_bytes -= frame->packet->len;
    r->counters->out_drops[why]++;
    net_packet_put(frame->packet);
}

/* Loses the first frame that waits. */
static void waiting_lose(struct net_rx *r, enum net_drop why)
{
    struct net_rx_frame lost = *frame_at(r, r->filled);

    /* The filled ones stay where they are: copies refer to them. So the rest moves up. */
    for (uint32_t i = 0; i + 1 < r->waiting; i++)
        *frame_at(r, r->filled + i) = *frame_at(r, r->filled + i + 1);
    r->waiting--;
    frame_lose(r, &lost, why);
}

bool net_rx_retry(struct net_rx *r)
{
    bool any = false;

    while (r->waiting > 0 && !r->broken) {
        enum fill fill = frame_fill(r, frame_at(r, r->filled));

        if (fill == FILL_NO_BUFFER)
            break;
        any = true;
        if (fill == FILL_TOO_LONG) {
            waiting_lose(r, NET_DROP_TOO_LONG);
        } else {
            r->waiting--;
            r->filled++;
        }
    }
    return any;
}

/* ---- answers -------------------------------------------------------------------------------- */

static uint16_t first_flags(const struct net_rx_frame *frame)
{
    unsigned flags = frame->extras > 0 ? NETRXF_extra_info : 0;

    if (frame->packet->checksum == NET_CHECKSUM_BLANK)
        flags |= NETRXF_csum_blank | NETRXF_data_validated;
    else if (frame->packet->checksum == NET_CHECKSUM_GOOD)
        flags |= NETRXF_data_validated;
    return (uint16_t)flags;
}

static void extras_write(struct net_rx *r, const struct net_rx_frame *frame)
{
    struct netif_extra_info extras[2];
    const struct net_packet *p = frame->packet;
    uint32_t count = 0;

    memset(extras, 0, sizeof(extras));
    if (p->gso != NET_GSO_NONE) {
        extras[count].type = XEN_NETIF_EXTRA_TYPE_GSO;
        extras[count].u.gso.size = p->gso_size;
        extras[count++].u.gso.type =
            p->gso == NET_GSO_TCP4 ? XEN_NETIF_GSO_TYPE_TCPV4 : XEN_NETIF_GSO_TYPE_TCPV6;
    }
    if (frame->headroom > 0) {
        extras[count].type = NET_EXTRA_TYPE_XDP;
        extras[count++].u.pad[0] = frame->headroom;
    }
    for (uint32_t i = 0; i < frame->extras; i++) {
        if (i + 1u < frame->extras)
            extras[i].flags = XEN_NETIF_EXTRA_FLAG_MORE;
        shm_copy_out(ring_back_slot(&r->ring, 1 + i), &extras[i], sizeof(extras[i]));
    }
}

static void answer_good(struct net_rx *r, const struct net_rx_frame *frame)
{
    for (uint32_t i = 0; i < frame->slots; i++) {
        uint32_t slot = (r->ring.rsp_prod + i) % NET_RX_SLOTS;
        bool is_last = i + 1u == frame->slots || (i == 0 && frame->slots == frame->extras + 1u);

        if (i >= 1 && i <= frame->extras)
            continue;
        slot_write(r, i,
                   &(struct netif_rx_response){
                       .id = r->slots[slot].id,
                       .offset = frame->headroom,
                       .flags = (uint16_t)((i == 0 ? first_flags(frame) : 0) |
                                           (is_last ? 0 : NETRXF_more_data)),
                       .status = (int16_t)r->slots[slot].len,
                   });
    }
    extras_write(r, frame);
    ring_back_publish_many(&r->ring, frame->slots);
}

static void answer_bad(struct net_rx *r, const struct net_rx_frame *frame)
{
    uint16_t ids[NET_TX_SLOTS_MAX];

    for (uint32_t i = 0; i < frame->slots; i++)
        ids[i] = r->slots[(r->ring.rsp_prod + i) % NET_RX_SLOTS].id;
    answer_error(r, frame->slots, ids);
}

/* Whose fault it was that a frame could not be copied: reads a byte of every granted piece. */
static void blame(struct net_rx *r, struct net_rx_frame *frame)
{
    struct net_packet *p = frame->packet;
    bool unreadable = false;

    for (uint32_t i = 0; i < p->piece_count; i++)
        if (!p->pieces[i].is_local && p->pieces[i].len > 0)
            net_batch_copy(r->batch,
                           net_place_granted(p->owner, p->pieces[i].ref, p->pieces[i].offset),
                           net_place_local(frame->front), 1, &unreadable);
    net_batch_run(r->batch);
    p->unreadable = p->unreadable || unreadable;
}

static void frame_answer(struct net_rx *r, struct net_rx_frame *frame)
{
    struct net_redo_answer answer = {.first = r->ring.rsp_prod, .slots = frame->slots};

    answer.extras = ((1u << frame->extras) - 1) << 1;
    for (uint32_t i = 0; i < frame->extras; i++)
        answer.ids |= (uint32_t)r->slots[(answer.first + 1 + i) % NET_RX_SLOTS].id << (16 * i);
    net_redo_write(r->redo, &answer);
    if (!frame->failed) {
        answer_good(r, frame);
        net_packet_put(frame->packet);
        return;
    }
    answer_bad(r, frame);
    blame(r, frame);
    frame_lose(r, frame, NET_DROP_ERROR);
}

void net_rx_flush(struct net_rx *r)
{
    if (r->filled == 0)
        return;
    net_batch_run(r->batch);
    while (r->filled > 0) {
        frame_answer(r, frame_at(r, 0));
        r->oldest = (r->oldest + 1) % NET_RX_FRAMES;
        r->filled--;
    }
}

uint64_t net_rx_expire(struct net_rx *r, uint64_t now, uint64_t wait)
{
    uint64_t next = UINT64_MAX;

    while (r->waiting > 0) {
        struct net_rx_frame *frame = frame_at(r, r->filled);

        if (frame->deadline == 0)
            frame->deadline = now + wait;
        if (frame->deadline > now)
            break;
        r->stalled = true;
        waiting_lose(r, NET_DROP_NO_BUFFER);
    }
    for (uint32_t i = 0; i < r->waiting; i++) {
        struct net_rx_frame *frame = frame_at(r, r->filled + i);

        if (frame->deadline == 0)
            frame->deadline = now + wait;
        if (frame->deadline < next)
            next = frame->deadline;
    }
    return next;
}

void net_rx_drop(struct net_rx *r)
{
    net_batch_run(r->batch);
    for (; r->filled > 0; r->filled--) {
        frame_lose(r, frame_at(r, 0), NET_DROP_LINK);
        r->oldest = (r->oldest + 1) % NET_RX_FRAMES;
    }
    while (r->waiting > 0)
        waiting_lose(r, NET_DROP_LINK);
}
