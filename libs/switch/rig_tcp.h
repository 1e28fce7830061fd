/* Tests of offloads: frames of TCP and UDP, and a slow second opinion of their checksums. */
#ifndef RIG_TCP_H
#define RIG_TCP_H

#include "rig.h"

static struct rig_seat *const seats = rig.seats;

/* ---- the test's own, slow idea of checksums -------------------------------------------------- */

static inline uint32_t add_words(uint32_t sum, const uint8_t *at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The sum over the pseudo header and `len` bytes of TCP or UDP: 0xffff if it is right. */
static inline uint32_t transport_sum(const uint8_t *frame, uint32_t upper, uint32_t len,
                                     uint8_t protocol)
{
    bool is6 = frame[12] == 0x86;
    uint32_t sum = is6 ? add_words(0, frame + 22, 32) : add_words(0, frame + 26, 8);

    sum = add_words(sum + protocol + len, frame + upper, len);
    return sum;
}

static inline bool ip4_is_right(const uint8_t *frame)
{
    return add_words(0, frame + 14, (frame[14] & 15u) * 4u) == 0xffff;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static inline uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 31 + i / 256);
}

static inline void put_payload(uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = pattern(i);

        (void)rig_put(&byte, 1);
    }
}

/* TCP with 12 bytes of options, from seat 0 to seat 1; its transport header's offset. */
static inline uint32_t put_tcp(bool is6, uint32_t payload, uint8_t flags)
{
    uint8_t *at;

    if (is6) {
        rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP6);
        at = rig_put("\x60\0\0\0\0\0\x3c\x40", 8); /* options of 8 bytes in front of TCP */
        (void)rig_put("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
        (void)rig_put("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\3", 16);
        (void)rig_put("\6\0\1\4\0\0\0\0", 8);
        switch_put16(at + 4, 8 + 32 + payload);
    } else {
        rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP4);
        at = rig_put("\x46\0\0\0\xff\xfe\x40\0\x40\6\0\0\x0a\0\0\2\x0a\0\0\3\1\1\1\0", 24);
        switch_put16(at + 2, 24 + 32 + payload);
    }

    uint32_t upper = rig_text.len;

    at = rig_put("\0\x50\4\0\xff\xff\xff\0\0\0\0\1\x80\0\1\0\0\0\0\0\1\1\x08\x0a", 24);
    (void)rig_put(NULL, 8);
    at[13] = flags;
    put_payload(payload);
    return upper;
}

static inline void put_udp(uint32_t payload)
{
    uint8_t *at;

    rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP4);
    at = rig_put("\x45\0\0\0\0\0\x40\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\3", 20);
    switch_put16(at + 2, 28 + payload);
    at = rig_put("\0\1\0\2\0\0\0\0", 8);
    switch_put16(at + 4, 8 + payload);
    put_payload(payload);
}

/* Three ports that know seat 1. */
static inline void start(void)
{
    rig_start(3);
    for (unsigned n = 0; n < 3; n++)
        seats[n].net.abilities.mtu = 1520;
    rig_chat(1, RIG_ALL);
    rig_forget(&seats[0]);
    rig_forget(&seats[2]);
}

/* The text goes from seat 0 with what it says beside it, in pieces of an odd length. */
static inline void say(uint8_t gso, uint16_t gso_size, uint8_t checksum)
{
    struct net_packet *p = rig_packet(&seats[0], 4093);

    p->gso = gso;
    p->gso_size = gso_size;
    p->checksum = checksum;
    rig_input(&seats[0], p);
    rig_flush();
}

#endif
