#include "switch_frame.h"

#include <string.h>

#include <check.h>

static uint8_t bytes[256];
static struct net_packet packet;
static struct switch_frame frame;

/* Parses a frame of these bytes behind the addresses, the rest of it being zeros. */
static bool parse(const char *text, size_t len, uint32_t frame_len)
{
    memset(bytes, 0, sizeof(bytes));
    memset(bytes, 0x52, 12);
    bytes[0] = bytes[6] = 2;
    memcpy(bytes + 12, text, len);
    packet = (struct net_packet){
        .head = bytes,
        .len = frame_len,
        .head_len = (uint16_t)(frame_len < NET_HEAD_MAX ? frame_len : NET_HEAD_MAX)};
    return switch_frame_parse(&packet, &frame);
}

#define PARSE(text, frame_len) parse(text, sizeof(text) - 1, frame_len)

#define IP4 "\x08\0\x45\0\0\x28\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2"
#define IP6(n)                                                                                     \
    "\x86\xdd\x60\0\0\0\0\x20" n "\x40"                                                            \
    "0123456789abcdef"                                                                             \
    "ABCDEFGHIJKLMNOP"

TEST(addresses_and_offsets)
{
    EXPECT(PARSE(IP4 "\0\1\0\2\0\0\0\0\0\0\0\0\x50", 60));
    EXPECT(frame.kind == FRAME_IP4 && !frame.malformed && frame.protocol == FRAME_TCP);
    EXPECT(frame.ip == 14 && frame.upper == 34 && frame.data == 54 && frame.end == 54);
    EXPECT(frame.from == UINT64_C(0x025252525252) && frame.ip_to == bytes + 30);
    EXPECT(PARSE(IP6("\x11") "\0\1\0\2\0\x20", 100));
    EXPECT(frame.kind == FRAME_IP6 && frame.upper == 54 && frame.data == 62 && frame.end == 86);
    EXPECT(frame.from_port == 1 && frame.to_port == 2 && memcmp(frame.ip_to, "ABC", 3) == 0);
}

TEST(what_is_no_frame_at_all)
{
    EXPECT(!PARSE("", 13));
    (void)PARSE(IP4, 60);
    packet.len = 59;
    EXPECT(!switch_frame_parse(&packet, &frame));
    packet.len = NET_FRAME_MAX;
    EXPECT(switch_frame_parse(&packet, &frame));
    packet.len = NET_FRAME_MAX + 1;
    EXPECT(!switch_frame_parse(&packet, &frame));
}

TEST(versions)
{
    (void)PARSE(IP4 "\0\1\0\2\0\0\0\0\0\0\0\0\x50", 60);
    bytes[14] = 0x65;
    EXPECT(switch_frame_parse(&packet, &frame) && frame.malformed && frame.kind == FRAME_OTHER);
    (void)PARSE(IP6("\x11") "\0\1\0\2\0\x20", 100);
    bytes[14] = 0x45;
    EXPECT(switch_frame_parse(&packet, &frame) && frame.malformed && frame.kind == FRAME_OTHER);
}

TEST(lengths_of_ip4)
{
    (void)PARSE(IP4 "\0\1\0\2\0\0\0\0\0\0\0\0\x50", 60);
    for (uint8_t words = 0; words < 16; words++) {
        bytes[14] = (uint8_t)(0x40 | words);
        (void)switch_frame_parse(&packet, &frame);
        EXPECT(frame.malformed == (words != 5)); /* 5: no options; then TCP has no room */
    }
    (void)PARSE(IP4 "\0\1\0\2\0\0\0\0\0\0\0\0\x50", 53);
    EXPECT(frame.malformed);
    (void)PARSE(IP4 "\0\1\0\2\0\0\0\0\0\0\0\0\x50", 54);
    EXPECT(!frame.malformed);
    bytes[46] = 0x60; /* options of TCP behind the packet's end */
    (void)switch_frame_parse(&packet, &frame);
    EXPECT(frame.malformed && frame.data == 0);
}

TEST(fragments)
{
    (void)PARSE(IP6("\x2c") "\x2c\0\0\1\0\0\0\0\x11\0\0\1\0\0\0\0", 86);
    EXPECT(frame.malformed); /* twice */
    (void)PARSE(IP6("\x2c") "\x2c\0\0\0\0\0\0\0\x11\0\0\1\0\0\0\0", 86);
    EXPECT(frame.malformed);
    (void)PARSE(IP6("\x2c") "\x11\0\0\1\0\0\0\0\0\1\0\2\1\1", 86);
    EXPECT(!frame.malformed && frame.fragment && !frame.later && frame.upper == 62);
    (void)PARSE(IP6("\x2c") "\x11\0\0\x08\0\0\0\0\0\1\0\2\1\1", 86);
    EXPECT(!frame.malformed && frame.fragment && frame.later && frame.upper == 0);
    EXPECT(frame.protocol == FRAME_UDP);
    (void)PARSE(IP6("\x2c") "\x11\0\0\0\0\0\0\0\0\1\0\2\0\x18", 86);
    EXPECT(!frame.malformed && !frame.fragment && frame.atomic && frame.upper == 62);
}

TEST(headers_behind_the_head)
{
    (void)PARSE(IP6("\x3c") "\x06\x10", 86);
    EXPECT(frame.malformed && !frame.hidden); /* longer than the packet */
    (void)PARSE(IP6("\x3c") "\x06\x10", 300);
    bytes[18] = 0;
    bytes[19] = 200;
    (void)switch_frame_parse(&packet, &frame);
    EXPECT(!frame.malformed && frame.hidden && frame.upper == 0);
}

/* An option of no length never ends: the parser does. */
TEST(options_of_no_length)
{
    (void)PARSE(IP6("\x3a") "\x87\0\0\0\0\0\0\0"
                            "0123456789abcdef"
                            "\xc8\0",
                86);
    EXPECT(frame.malformed && frame.nd_target == bytes + 62);
}
