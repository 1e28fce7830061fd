/* Segments of TCP, for a receiver that does not cut: each has the frame's headers and a part. */
#include "switch_internal.h"

#include <string.h>

enum { TCP_FIN = 1, TCP_PUSH = 8, TCP_REDUCED = 0x80 };

/* The headers of the segment that begins at payload byte `at`. */
static void write_headers(struct net_packet *p, const struct switch_layout *l, uint32_t at,
                          uint16_t gso_size, bool is_last)
{
    uint8_t *ip = p->head + l->ip, *tcp = p->head + l->upper;

    if (l->is6) {
        switch_put16(ip + 4, p->len - l->ip - 40);
    } else {
        switch_put16(ip + 2, p->len - l->ip);
        switch_put16(ip + 4, switch_get16(ip + 4) + at / gso_size);
        switch_sum_ip4(ip);
    }
    switch_put32(tcp + 4, switch_get32(tcp + 4) + at);
    if (!is_last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PUSH);
    if (at > 0)
        tcp[13] &= (uint8_t)~TCP_REDUCED; /* said once, not with each */
}

/* The part [at, at + len) of what is behind the head of `from`. */
static void share_pieces(struct net_packet *p, const struct net_packet *from, uint32_t at,
                         uint32_t len)
{
    for (unsigned i = 0; i < from->piece_count && len > 0; i++) {
        struct net_piece piece = from->pieces[i];

        if (at >= piece.len) {
            at -= piece.len;
            continue;
        }
        piece.offset = (uint16_t)(piece.offset + at);
        piece.len = (uint16_t)(piece.len - at);
        if (piece.len > len)
            piece.len = (uint16_t)len;
        at = 0;
        len -= piece.len;
        p->pieces[p->piece_count++] = piece;
    }
}

static struct switch_made *make_segment(struct switch_port *to, struct switch_made *made,
                                        uint32_t at, uint32_t len)
{
    struct switch_made *segment = switch_made_alloc(to->bridge->pool);
    struct net_packet *p = segment ? &segment->packet : NULL;
    struct switch_layout l = made->layout;

    if (!p)
        return NULL;
    net_packet_get(&made->packet);
    segment->parent = made;
    p->owner = made->packet.owner;
    p->head_len = l.data;
    p->len = l.data + len;
    memcpy(p->head, made->packet.head, l.data);
    share_pieces(p, &made->packet, at, len);
    write_headers(p, &l, at, made->packet.gso_size, at + len == switch_cut_total(made));
    l.end = p->len;
    if (switch_takes_sum(&to->net->abilities, l.is6))
        switch_sum_blank(p, &l);
    else
        switch_sum_finish(p, &l);
    return segment;
}

enum net_drop switch_cut_next(struct switch_port *to, struct switch_made *made, uint64_t now)
{
    uint32_t at = to->queue.cut;
    uint32_t left = switch_cut_total(made) - at;
    uint32_t len = left < made->packet.gso_size ? left : made->packet.gso_size;
    struct switch_made *segment = make_segment(to, made, at, len);

    if (!segment)
        return NET_DROP_NO_BUFFER;

    enum net_drop drop = switch_port_send(to, &segment->packet, made->tag);

    if (drop == NET_DROP_NONE) {
        switch_bucket_take(&to->in, segment->packet.len, now);
        switch_bucket_take(&to->in_peak, segment->packet.len, now);
    }
    if (drop != NET_DROP_NO_BUFFER)
        to->queue.cut = at + len;
    net_packet_put(&segment->packet);
    return drop;
}
