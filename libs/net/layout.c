/* How frames lie in receive buffers. */
#include "net_layout.h"

#include <string.h>

#define ADDRESSES_LEN (NET_FRONT_LEN - NET_TAG_LEN)

static void part_add(struct net_parts *parts, struct net_place from, uint32_t len)
{
    if (len > 0)
        parts->parts[parts->count++] = (struct net_part){.from = from, .len = len};
}

void net_parts_of(struct net_parts *parts, const struct net_packet *packet, struct net_tag tag,
                  uint8_t *front)
{
    uint32_t skip = 0;

    parts->count = 0;
    if (tag.present) {
        memcpy(front, packet->head, ADDRESSES_LEN);
        front[12] = 0x81;
        front[13] = 0x00;
        front[14] = (uint8_t)(tag.tci >> 8);
        front[15] = (uint8_t)tag.tci;
        skip = ADDRESSES_LEN;
        part_add(parts, net_place_local(front), NET_FRONT_LEN);
    }
    part_add(parts, net_place_local(packet->head + skip), packet->head_len - skip);
    for (uint32_t i = 0; i < packet->piece_count; i++) {
        const struct net_piece *piece = &packet->pieces[i];

        part_add(parts,
                 piece->is_local ? net_place_local(piece->page + piece->offset)
                                 : net_place_granted(packet->owner, piece->ref, piece->offset),
                 piece->len);
    }
}

void net_layout_begin(struct net_layout *l, uint32_t room, bool tight)
{
    *l = (struct net_layout){.room = room, .tight = tight};
}

uint32_t net_layout_step(struct net_layout *l, uint32_t left)
{
    uint32_t free = l->count > 0 ? l->room - l->lens[l->count - 1] : 0;

    if (free == 0 || (!l->tight && left > free && left <= l->room)) {
        if (l->count == NET_SLOTS_MAX)
            return 0;
        l->lens[l->count++] = 0;
        free = l->room;
    }
    uint32_t part = left < free ? left : free;

    l->lens[l->count - 1] = (uint16_t)(l->lens[l->count - 1] + part);
    return part;
}

static bool lay(struct net_layout *l, const struct net_parts *parts, uint32_t limit)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        for (uint32_t left = parts->parts[i].len; left > 0;) {
            uint32_t part = net_layout_step(l, left);

            if (part == 0 || l->count > limit)
                return false;
            left -= part;
        }
    }
    return true;
}

bool net_layout_choose(struct net_layout *l, const struct net_parts *parts, uint32_t room,
                       uint32_t limit)
{
    net_layout_begin(l, room, false);
    if (lay(l, parts, limit))
        return true;
    net_layout_begin(l, room, true);
    return lay(l, parts, limit);
}
