/* Checksums of IPv4, TCP and UDP. */
#include "switch_internal.h"

#include <string.h>

/*
 * Words are added as they lie in memory: the sum of byte-swapped words is the
 * byte-swapped sum (RFC 1071), so nothing is turned round but the result.
 */
uint64_t switch_sum_add(uint64_t sum, const uint8_t *bytes, uint32_t len)
{
    uint32_t four;
    uint16_t two;

    for (; len >= 4; len -= 4, bytes += 4) {
        memcpy(&four, bytes, 4);
        sum += four;
    }
    if (len >= 2) {
        memcpy(&two, bytes, 2);
        sum += two;
        bytes += 2;
        len -= 2;
    }
    return len > 0 ? sum + bytes[0] : sum;
}

/* As it is to stand in memory. */
uint16_t switch_sum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void put(uint8_t *at, uint16_t in_memory_order)
{
    memcpy(at, &in_memory_order, 2);
}

void switch_sum_ip4(uint8_t *ip)
{
    put(ip + 10, 0);
    put(ip + 10, (uint16_t)~switch_sum_fold(switch_sum_add(0, ip, (ip[0] & 15u) * 4u)));
}

/* Bytes that the checksum is over, from the transport header on. */
static uint32_t sum_len(const struct net_packet *p, const struct switch_layout *l)
{
    if (l->protocol == FRAME_UDP)
        return switch_get16(p->head + l->upper + 4);
    return l->end - l->upper;
}

static uint64_t pseudo(const struct net_packet *p, const struct switch_layout *l)
{
    uint8_t rest[8] = {0};
    uint64_t sum = l->is6 ? switch_sum_add(0, p->head + l->ip + 8, 32)
                          : switch_sum_add(0, p->head + l->ip + 12, 8);

    switch_put32(rest, sum_len(p, l));
    rest[7] = l->protocol;
    return switch_sum_add(sum, rest, sizeof(rest));
}

static uint8_t *field(const struct net_packet *p, const struct switch_layout *l)
{
    return p->head + l->upper + (l->protocol == FRAME_UDP ? 6 : 16);
}

void switch_sum_blank(struct net_packet *p, const struct switch_layout *l)
{
    put(field(p, l), switch_sum_fold(pseudo(p, l)));
    p->checksum = NET_CHECKSUM_BLANK;
}

/* A part that begins at an odd byte counts with its bytes swapped. */
static uint64_t add_part(uint64_t sum, const uint8_t *bytes, uint32_t len, bool odd)
{
    uint16_t part = switch_sum_fold(switch_sum_add(0, bytes, len));

    return sum + (odd ? __builtin_bswap16(part) : part);
}

void switch_sum_finish(struct net_packet *p, const struct switch_layout *l)
{
    uint32_t left = sum_len(p, l), at = 0;
    uint32_t here = (uint32_t)p->head_len - l->upper;
    uint64_t sum = pseudo(p, l);

    put(field(p, l), 0);
    if (here > left)
        here = left;
    sum = switch_sum_add(sum, p->head + l->upper, here);
    at = here;
    for (unsigned i = 0; i < p->piece_count && at < left; i++) {
        uint32_t len = p->pieces[i].len < left - at ? p->pieces[i].len : left - at;

        sum = add_part(sum, p->pieces[i].page + p->pieces[i].offset, len, at & 1);
        at += len;
    }

    uint16_t done = (uint16_t)~switch_sum_fold(sum);

    /* 0 would say that UDP has no checksum. */
    put(field(p, l), done == 0 && l->protocol == FRAME_UDP ? 0xffff : done);
    p->checksum = NET_CHECKSUM_GOOD;
}
