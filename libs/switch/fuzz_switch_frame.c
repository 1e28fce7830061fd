/* Bytes: how long the frame claims to be, what it claims beside itself, then its head. */
#include "switch_frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

static bool is_in(const struct net_packet *p, const uint8_t *at, size_t len)
{
    return !at || (at >= p->head && at + len <= p->head + p->head_len);
}

static void check_addresses(const struct net_packet *p, const struct switch_frame *f)
{
    size_t len = f->kind == FRAME_IP6 ? 16 : 4;

    must(is_in(p, f->ip_from, len) && is_in(p, f->ip_to, len));
    must(is_in(p, f->arp_from, 6) && is_in(p, f->nd_link, 6) && is_in(p, f->nd_target, 16));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct switch_frame f;
    struct net_packet p = {0};

    if (size < 6)
        return 0;
    p.head_len = (uint16_t)(size - 6 < 400 ? size - 6 : 400);
    p.len = p.head_len + (uint32_t)(data[0] << 8 | data[1]);
    p.gso = data[2] >> 4;
    p.checksum = data[2] & 15;
    p.gso_size = (uint16_t)(data[4] << 8 | data[5]);
    p.head = malloc(p.head_len ? p.head_len : 1u);
    if (!p.head)
        abort();
    memcpy(p.head, data + 6, p.head_len);
    if (switch_frame_parse(&p, &f)) {
        must(f.ip <= p.head_len && f.upper <= p.head_len && f.data <= p.head_len);
        must(f.end <= p.len && f.data <= (f.data ? f.end : 0));
        must(!f.upper || (f.ip && f.upper > f.ip && !f.later));
        must(!f.later || f.fragment);
        check_addresses(&p, &f);
        if (switch_frame_offload_is_sane(&p, &f) && p.checksum == NET_CHECKSUM_BLANK)
            must(f.upper && f.data && !f.fragment && !f.malformed);
    }
    free(p.head);
    return 0;
}
