/*
 * Single Ethernet frames, right or wrong. A pattern is hexadecimal, "XX" in it any byte: a random
 * one when sent, whatever stands there when received. A received frame may be longer.
 */
#include <ctype.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netprobe.h"

#define FRAME_MAX 1518u

struct pattern {
    size_t len;
    uint8_t bytes[FRAME_MAX];
    bool any[FRAME_MAX];
};

static struct pattern pattern;
static struct pattern last;

static void pattern_read(struct pattern *p, const char *text)
{
    for (p->len = 0; *text; text += 2, p->len++) {
        char pair[3] = {text[0], text[1], 0};
        char *end = pair + 2;

        p->any[p->len] = !strcmp(pair, "XX");
        if (!p->any[p->len])
            p->bytes[p->len] = (uint8_t)strtoul(pair, &end, 16);
        if (*end || !text[1] || p->len + 1 == FRAME_MAX) {
            fprintf(stderr, "%s: not pairs of hexadecimal digits\n", text);
            exit(EXIT_FAILURE);
        }
    }
}

static int frame_socket(const char *interface)
{
    const struct sockaddr_ll here = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    int fd = socket_open(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL), 100);

    if (!here.sll_ifindex || bind(fd, (const struct sockaddr *)&here, sizeof(here)))
        fail(interface);
    return fd;
}

int frame_send(char **args)
{
    int fd = frame_socket(args[0]);
    unsigned count = number_read(args[1], 1, 10000000);
    unsigned sent = 0;

    pattern_read(&pattern, args[2]);
    while (sent < count) {
        for (size_t i = 0; i < pattern.len; i++) {
            if (pattern.any[i])
                pattern.bytes[i] = (uint8_t)random();
        }
        if (send(fd, pattern.bytes, pattern.len, 0) == (ssize_t)pattern.len)
            sent++;
        else if (errno != ENOBUFS)
            fail("send");
    }
    printf("frame sent=%u\n", sent);
    return 0;
}

static bool is_match(const struct pattern *p, const uint8_t *frame, size_t len)
{
    if (len < p->len)
        return false;
    for (size_t i = 0; i < p->len; i++) {
        if (!p->any[i] && p->bytes[i] != frame[i])
            return false;
    }
    return true;
}

/* Counts until the last one comes. What this machine sent itself does not count. */
int frame_count(char **args)
{
    static uint8_t frame[65536];
    int fd = frame_socket(args[0]);
    unsigned matched = 0;
    unsigned all = 0;

    pattern_read(&pattern, args[1]);
    pattern_read(&last, args[2]);
    printf("sniff ready\n");
    fflush(stdout);
    while (1) {
        struct sockaddr_ll from;
        socklen_t size = sizeof(from);
        ssize_t got = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &size);

        if (got < 0 || from.sll_pkttype == PACKET_OUTGOING)
            continue;
        if (is_match(&last, frame, (size_t)got))
            break;
        all++;
        matched += is_match(&pattern, frame, (size_t)got);
    }
    printf("sniff matched=%u all=%u\n", matched, all);
    return 0;
}
