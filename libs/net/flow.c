/* A frame's flow: its network addresses and, of whole TCP and UDP packets, the ports. */
#include "net_flow.h"

#include <stdbool.h>

#define NET_HEADER 14u
#define TCP        6u
#define UDP        17u

static uint32_t mix(uint32_t sum, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 0x01000193u;
    return sum;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == TCP || protocol == UDP;
}

static uint32_t flow4(const uint8_t *head, uint32_t len)
{
    const uint8_t *ip = head + NET_HEADER;
    uint32_t sum = mix(0, ip + 12, 8);
    uint32_t header = (ip[0] & 15u) * 4u;
    bool is_part = (ip[6] & 0x3f) != 0 || ip[7] != 0;

    if (has_ports(ip[9]) && !is_part && NET_HEADER + header + 4 <= len)
        sum = mix(sum, ip + header, 4);
    return sum;
}

static uint32_t flow6(const uint8_t *head, uint32_t len)
{
    const uint8_t *ip = head + NET_HEADER;
    uint32_t sum = mix(0, ip + 8, 32);

    if (has_ports(ip[6]) && NET_HEADER + 40 + 4 <= len)
        sum = mix(sum, ip + 40, 4);
    return sum;
}

uint32_t net_flow(const uint8_t *head, uint32_t len)
{
    uint32_t sum = 0;

    if (len >= NET_HEADER + 20 && head[12] == 0x08 && head[13] == 0x00)
        sum = flow4(head, len);
    else if (len >= NET_HEADER + 40 && head[12] == 0x86 && head[13] == 0xdd)
        sum = flow6(head, len);
    else if (len >= NET_HEADER)
        sum = mix(0, head, NET_HEADER);
    return sum ^ sum >> 16;
}
