/* Tests and fuzz targets: a bridge with seats that take frames as a driver does, and frames to say.
 */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>
#include <string.h>

#include <xen/errno.h>

#include "switch_internal.h"

#define RIG_SEATS  6u
#define RIG_PAGES  (SWITCH_HEAD_PAGES + 256u)
#define RIG_FEW    (SWITCH_HEAD_PAGES + 96u)
#define RIG_GRANTS 64u
#define RIG_FRAMES 256u
#define RIG_FRAME  70000u
#define RIG_MS     UINT64_C(1000000)

/* A packet of the rig's, and where its head stood before the switch moved it. */
struct rig_sent {
    struct net_packet packet; /* first */
    uint8_t *room;
};

/* A frame as a seat got it, in one piece, without its tag. */
struct rig_frame {
    uint32_t len;
    uint16_t gso_size;
    uint8_t gso, checksum;
    struct net_tag tag;
    uint8_t *bytes;
};

struct rig_seat {
    struct net_port net;
    struct switch_port port;
    bool added;
    unsigned room;         /* frames that it takes between two flushes */
    enum net_drop refuses; /* what it says beyond that */
    bool keeps;            /* what it was sent, until rig_release */
    bool counts_only;      /* nothing is looked at but the length */
    unsigned held_count, got_count;
    uint64_t got_bytes;
    struct net_packet *held[RIG_FRAMES];
    struct net_tag held_tags[RIG_FRAMES];
    unsigned done_from; /* of the held: copied by an earlier flush */
    struct rig_frame got[RIG_FRAMES];
};

static struct {
    uint64_t now;
    unsigned live;               /* packets of the rig that somebody holds */
    unsigned fetches;            /* calls */
    unsigned head_max;           /* of packets; 0: NET_HEAD_MAX */
    unsigned fail_parts;         /* so many of the next parts fail */
    uint8_t *grants[RIG_GRANTS]; /* what a granted piece's reference means */
    struct switch_bridge bridge;
    struct switch_pool pool;
    struct rig_seat seats[RIG_SEATS];
} rig;

static uint8_t rig_pages[(RIG_PAGES + RIG_GRANTS) * 4096u] __attribute__((aligned(4096)));

static inline void rig_must(bool is_true)
{
    if (!is_true)
        abort();
}

/* ---- a port's driver ------------------------------------------------------------------------- */

static inline const uint8_t *rig_piece(const struct net_piece *piece)
{
    rig_must(piece->len > 0 && (uint32_t)piece->offset + piece->len <= 4096);
    if (!piece->is_local)
        return rig.grants[piece->ref] + piece->offset;
    rig_must(piece->dma == (uint64_t)(uintptr_t)piece->page);
    return piece->page + piece->offset;
}

static inline void rig_flatten(const struct net_packet *p, uint8_t *to)
{
    uint32_t at = p->head_len;

    memcpy(to, p->head, p->head_len);
    for (unsigned i = 0; i < p->piece_count; i++) {
        rig_must(at + p->pieces[i].len <= p->len);
        memcpy(to + at, rig_piece(&p->pieces[i]), p->pieces[i].len);
        at += p->pieces[i].len;
    }
    rig_must(at == p->len);
}

static inline enum net_drop rig_send(struct net_port *port, struct net_packet *packet,
                                     struct net_tag tag)
{
    struct rig_seat *s = (struct rig_seat *)port;

    rig_must(s->added && s->net.up && packet->refs > 0 && packet->from != port);
    if (s->room == 0 || s->held_count == RIG_FRAMES)
        return s->refuses;
    s->room--;
    net_packet_get(packet);
    s->held_tags[s->held_count] = tag;
    s->held[s->held_count++] = packet;
    return NET_DROP_NONE;
}

static inline void rig_take(struct rig_seat *s, const struct net_packet *p, struct net_tag tag)
{
    s->got_bytes += p->len;
    if (s->counts_only)
        return;
    rig_must(s->got_count < RIG_FRAMES);

    struct rig_frame *f = &s->got[s->got_count++];

    *f = (struct rig_frame){.len = p->len,
                            .gso = p->gso,
                            .gso_size = p->gso_size,
                            .checksum = p->checksum,
                            .tag = tag,
                            .bytes = malloc(p->len)};
    rig_must(f->bytes != NULL);
    rig_flatten(p, f->bytes);
}

static inline void rig_release(struct rig_seat *s)
{
    for (unsigned i = 0; i < s->done_from; i++)
        net_packet_put(s->held[i]);
    for (unsigned i = s->done_from; i < s->held_count; i++) {
        s->held[i - s->done_from] = s->held[i];
        s->held_tags[i - s->done_from] = s->held_tags[i];
    }
    s->held_count -= s->done_from;
    s->done_from = 0;
}

static inline void rig_port_flush(struct net_port *port)
{
    struct rig_seat *s = (struct rig_seat *)port;

    for (; s->done_from < s->held_count; s->done_from++)
        rig_take(s, s->held[s->done_from], s->held_tags[s->done_from]);
    if (!s->keeps)
        rig_release(s);
}

static inline void rig_done(struct net_port *port, struct net_packet *packet)
{
    (void)port;
    rig_must(rig.live > 0);
    rig.live--;
    free(((struct rig_sent *)packet)->room);
    free(packet);
}

static const struct net_port_driver rig_driver = {rig_send, rig_port_flush, rig_done};

/* ---- the pool's memory ----------------------------------------------------------------------- */

static inline void rig_fetch(void *context, struct switch_part *parts, unsigned count)
{
    (void)context;
    rig.fetches++;
    for (unsigned i = 0; i < count; i++) {
        rig_must(parts[i].offset + parts[i].len <= 4096 && parts[i].ref < RIG_GRANTS);
        rig_must(((uintptr_t)parts[i].to & 4095) + parts[i].len <= 4096);
        if (rig.fail_parts > 0) {
            rig.fail_parts--;
            parts[i].failed = true;
            continue;
        }
        memcpy(parts[i].to, rig.grants[parts[i].ref] + parts[i].offset, parts[i].len);
    }
}

static const struct switch_pool_driver rig_pool_driver = {rig_fetch};

/* ---- start and end --------------------------------------------------------------------------- */

static inline struct rig_seat *rig_add(unsigned n, const struct switch_port_config *config)
{
    struct rig_seat *s = &rig.seats[n];

    s->added = true;
    s->room = RIG_FRAMES;
    s->refuses = NET_DROP_NO_BUFFER;
    s->net = (struct net_port){.driver = &rig_driver,
                               .abilities = {true, true, true, true, .scatter = true, .mtu = 1500},
                               .up = true};
    rig_must(switch_add(&rig.bridge, &s->port, &s->net, config, rig.now) == 0);
    return s;
}

/* The MAC of a seat's guest. */
#define RIG_MAC(n)                                                                                 \
    {                                                                                              \
        0x52, 0x54, 0, 0, 0, (uint8_t)(n)                                                          \
    }

static inline void rig_start_pages(unsigned pages)
{
    memset(&rig, 0, sizeof(rig));
    rig.now = 1;
    switch_pool_init(&rig.pool, &rig_pool_driver, NULL);
    for (unsigned i = 0; i < pages; i++) {
        uint8_t *page = rig_pages + i * 4096u;

        rig_must(switch_pool_give(&rig.pool, page, (uint64_t)(uintptr_t)page) == 0);
    }
    for (unsigned i = 0; i < RIG_GRANTS; i++)
        rig.grants[i] = rig_pages + (RIG_PAGES + i) * 4096u;
    switch_init(&rig.bridge, &rig.pool, 12345);
}

/* A bridge with so many ports, guests without rules: seat n has MAC n. */
static inline void rig_start(unsigned ports)
{
    rig_start_pages(RIG_FEW);
    for (unsigned n = 0; n < ports; n++)
        (void)rig_add(n, &(struct switch_port_config){.mac = RIG_MAC(n)});
}

static inline void rig_flush(void)
{
    switch_flush(&rig.bridge, rig.now);
}

/* Throws away what a seat got so far. */
static inline void rig_forget(struct rig_seat *s)
{
    while (s->got_count > 0)
        free(s->got[--s->got_count].bytes);
}

static inline void rig_remove(struct rig_seat *s)
{
    s->keeps = false;
    switch_remove(&s->port, rig.now);
    s->done_from = s->held_count;
    rig_release(s);
    s->added = false;
}

/* Everything is given back to whom it belongs. */
static inline void rig_stop(void)
{
    for (unsigned n = 0; n < RIG_SEATS; n++) {
        if (rig.seats[n].added)
            rig_remove(&rig.seats[n]);
        rig_forget(&rig.seats[n]);
    }
    rig_must(rig.live == 0);
    rig_must(rig.pool.free_made == rig.pool.made_count);
    rig_must(rig.pool.free_pages == rig.pool.page_count);
    rig_must(rig.bridge.table.unpromised == SWITCH_TABLE_SIZE);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* Bytes of a frame, put together from the front. */
struct rig_text {
    uint32_t len;
    uint8_t bytes[RIG_FRAME];
};
static struct rig_text rig_text;

static inline uint8_t *rig_put(const void *bytes, size_t len)
{
    uint8_t *at = rig_text.bytes + rig_text.len;

    rig_must(rig_text.len + len <= RIG_FRAME);
    if (bytes)
        memcpy(at, bytes, len);
    else
        memset(at, 0, len);
    rig_text.len += (uint32_t)len;
    return at;
}

static inline void rig_ethernet(uint64_t to, uint64_t from, uint16_t type)
{
    rig_text.len = 0;

    uint8_t *at = rig_put(NULL, 14);

    switch_put16(at, (uint32_t)(to >> 32));
    switch_put32(at + 2, (uint32_t)to);
    switch_put16(at + 6, (uint32_t)(from >> 32));
    switch_put32(at + 8, (uint32_t)from);
    switch_put16(at + 12, type);
}

static inline uint64_t rig_mac(unsigned n)
{
    return UINT64_C(0x525400000000) + n;
}
#define RIG_ALL UINT64_C(0xffffffffffff)

/* A packet of the text, the part behind its head in granted pieces of at most piece_len bytes. */
static inline struct net_packet *rig_packet(struct rig_seat *from, uint16_t piece_len)
{
    struct rig_sent *sent = calloc(1, sizeof(*sent));
    struct net_packet *p = &sent->packet;
    uint32_t most = rig.head_max ? rig.head_max : NET_HEAD_MAX;
    uint32_t at = rig_text.len < most ? rig_text.len : most;
    uint8_t *room = malloc(NET_HEAD_ROOM + at);
    unsigned grant = 0;

    rig_must(sent && room);
    sent->room = room;
    p->from = &from->net;
    p->owner = 7;
    p->refs = 1;
    p->len = rig_text.len;
    p->head_len = (uint16_t)at;
    p->head = room + NET_HEAD_ROOM;
    memcpy(p->head, rig_text.bytes, at);
    while (at < rig_text.len) {
        uint32_t left = rig_text.len - at;
        uint16_t len = (uint16_t)(left < piece_len ? left : piece_len);
        uint16_t offset = (uint16_t)(4096 - len);

        rig_must(p->piece_count < NET_PIECES_MAX && grant < RIG_GRANTS);
        memcpy(rig.grants[grant] + offset, rig_text.bytes + at, len);
        p->pieces[p->piece_count++] =
            (struct net_piece){.offset = offset, .len = len, .ref = grant++};
        at += len;
    }
    rig.live++;
    return p;
}

static inline void rig_input(struct rig_seat *from, struct net_packet *p)
{
    switch_input(&from->port, p, rig.now);
    net_packet_put(p);
}

/* The text goes in at a port, and all that follows from it happens. */
static inline void rig_say(struct rig_seat *from)
{
    rig_input(from, rig_packet(from, 4096));
    rig_flush();
}

/* Sixty bytes that mean nothing, from one MAC to another. */
static inline void rig_chat(unsigned from, uint64_t to)
{
    rig_ethernet(to, rig_mac(from), 0x88b5);
    (void)rig_put(NULL, 46);
    rig_say(&rig.seats[from]);
}

#endif
