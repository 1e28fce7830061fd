/* Frames from the switch to a card. */
#include "nic.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <rt/clock.h>
#include <rt/memory.h>
#include <switch_frame.h>

#define PAGES(n)  (((n) + PAGE_SIZE - 1) / PAGE_SIZE)
#define ADDRESSES 12u /* of Ethernet, in front of the tag or type */

int nic_out_open(struct nic_out *o, struct net_batch *batch)
{
    void *memory = memory_buffers_alloc(NET_REACH_MEMORY);
    void *space = memory_space_alloc(NET_REACH_SPACE);

    *o = (struct nic_out){.deadline = UINT64_MAX};
    o->frames = memory_pages_alloc(PAGES(NIC_FRAMES * sizeof(*o->frames)));
    if (!memory || !space || !o->frames)
        return -XEN_ENOMEM;
    net_reach_init(&o->reach, memory, space, batch);
    for (uint32_t i = NIC_FRAMES; i-- > 1;) {
        o->frames[i].next = o->first_free;
        o->first_free = &o->frames[i];
    }
    return 0;
}

/* ---- headers ---------------------------------------------------------------------------- */

/* A frame from the wire may have a tag in its head, which the parser does not want to see. */
static uint16_t tag_skip(struct net_packet *packet, uint8_t *room)
{
    const uint8_t *head = packet->head;
    uint32_t rest = packet->head_len - ADDRESSES;

    if (packet->head_len < ADDRESSES + NIC_TAG_LEN || packet->head_len > NET_HEAD_MAX ||
        switch_get16(head + ADDRESSES) != FRAME_TYPE_TAG)
        return 0;
    memcpy(room, head, ADDRESSES);
    memcpy(room + ADDRESSES, head + ADDRESSES + NIC_TAG_LEN, rest - NIC_TAG_LEN);
    packet->head = room;
    packet->head_len = (uint16_t)(packet->head_len - NIC_TAG_LEN);
    packet->len -= NIC_TAG_LEN;
    return NIC_TAG_LEN;
}

static void layout_move(struct nic_layout *l, uint16_t by)
{
    l->l3 = (uint16_t)(l->l3 + by);
    l->l4 = (uint16_t)(l->l4 + by);
    l->checksum = (uint16_t)(l->checksum + by);
    l->payload = (uint16_t)(l->payload + by);
}

bool nic_layout_find(struct nic_layout *l, const struct net_packet *packet)
{
    uint8_t room[NET_HEAD_MAX];
    struct net_packet inner = {
        .head = packet->head, .head_len = packet->head_len, .len = packet->len};
    uint16_t tag = tag_skip(&inner, room);
    struct switch_frame f;

    if (!switch_frame_parse(&inner, &f) || f.malformed || f.fragment || f.upper == 0 ||
        (f.protocol != FRAME_TCP && f.protocol != FRAME_UDP))
        return false;
    *l = (struct nic_layout){
        .is_ip6 = f.kind == FRAME_IP6,
        .is_tcp = f.protocol == FRAME_TCP,
        .l3 = f.ip,
        .l4 = f.upper,
        .checksum = (uint16_t)(f.upper + (f.protocol == FRAME_TCP ? 16 : 6)),
        .payload = f.data,
    };
    layout_move(l, tag);
    return true;
}

/* ---- sending ---------------------------------------------------------------------------- */

static void append(struct nic_frame **first, struct nic_frame **last, struct nic_frame *f)
{
    f->next = NULL;
    if (*first)
        (*last)->next = f;
    else
        *first = f;
    *last = f;
}

/* Offsets are those of the frame as it goes out, with its tag. */
static bool blank_look(struct nic_frame *f, const struct net_packet *packet, bool tagged)
{
    struct nic_layout *l = &f->layout;

    f->blank = packet->checksum == NET_CHECKSUM_BLANK;
    if (!f->blank)
        return true;
    if (!nic_layout_find(l, packet))
        return false;
    if (packet->gso != NET_GSO_NONE && packet->len - l->payload > packet->gso_size)
        f->gso_size = packet->gso_size;
    layout_move(l, tagged ? NIC_TAG_LEN : 0);
    return true;
}

enum net_drop nic_out_send(struct nic *n, struct net_packet *packet, struct net_tag tag)
{
    struct nic_out *o = &n->out;
    struct nic_frame *f = o->first_free;

    if (!n->port.up || n->dead)
        return NET_DROP_LINK;
    if (!f)
        return NET_DROP_NO_BUFFER;
    *f = (struct nic_frame){.next = f->next, .len = packet->len + (tag.present ? NIC_TAG_LEN : 0)};
    if (!blank_look(f, packet, tag.present))
        return NET_DROP_MALFORMED;
    if (!net_reach_add(&o->reach, &f->reach, packet, tag))
        return NET_DROP_NO_BUFFER;
    o->first_free = f->next;
    append(&o->fresh, &o->fresh_last, f);
    return NET_DROP_NONE;
}

/* The switch has counted it as sent. */
static void lost(struct nic *n, const struct nic_frame *f)
{
    n->port.counters.out_packets--;
    n->port.counters.out_bytes -= f->reach.packet->len;
    n->port.counters.out_drops[NET_DROP_ERROR]++;
}

void nic_out_flush(struct nic *n)
{
    struct nic_out *o = &n->out;
    struct nic_frame *f = o->fresh;

    if (!f)
        return;
    net_reach_run(&o->reach);
    o->fresh = NULL;
    for (struct nic_frame *next; f; f = next) {
        next = f->next;
        if (f->reach.failed)
            nic_out_done(n, f, false);
        else
            append(&o->waiting, &o->waiting_last, f);
    }
    nic_out_push(n);
    nic_out_release(n);
}

void nic_out_watch(struct nic_out *o, struct nic_frame *f)
{
    f->since = clock_now();
    f->out = true;
    if (o->out_count++ == 0) {
        o->deadline = f->since + NIC_TIMEOUT_NS;
        o->looks = 0;
    }
}

void nic_out_push(struct nic *n)
{
    struct nic_out *o = &n->out;
    bool more = true;

    while (o->waiting && more) {
        while (o->waiting && n->driver->put(n, o->waiting)) {
            struct nic_frame *f = o->waiting;

            o->waiting = f->next;
            nic_out_watch(o, f);
        }
        n->driver->kick(n);
        more = n->driver->reap(n);
    }
}

void nic_out_done(struct nic *n, struct nic_frame *f, bool sent)
{
    struct nic_out *o = &n->out;

    n->probe.signs += sent;
    if (f->out && --o->out_count == 0)
        o->deadline = UINT64_MAX;
    f->out = false;
    if (f == o->frames)
        return;
    if (!sent)
        lost(n, f);
    net_reach_release(&o->reach, &f->reach);
    f->next = o->leaving;
    o->leaving = f;
}

void nic_out_release(struct nic *n)
{
    struct nic_out *o = &n->out;
    struct nic_frame *f = o->leaving;

    net_reach_end(&o->reach);
    o->leaving = NULL;
    for (struct nic_frame *next; f; f = next) {
        next = f->next;
        f->next = o->first_free;
        o->first_free = f;
    }
}

void nic_out_forget(struct nic *n)
{
    struct nic_out *o = &n->out;

    /* Ring order is of no interest any more: whoever is out is found in the table. */
    for (uint32_t i = 0; i < NIC_FRAMES; i++)
        if (o->frames[i].out)
            nic_out_done(n, &o->frames[i], false);
    while (o->waiting) {
        struct nic_frame *f = o->waiting;

        o->waiting = f->next;
        nic_out_done(n, f, false);
    }
    nic_out_release(n);
}
