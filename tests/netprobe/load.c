/* Small datagrams, as many as go. */
#define _GNU_SOURCE /* sendmmsg, recvmmsg */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netprobe.h"

#define BATCH         32u
#define SIZE_MAX_SENT 1472u

/* All of a batch are the same; none is looked at. */
static struct mmsghdr messages[BATCH];
static struct iovec piece;
static uint8_t data[SIZE_MAX_SENT];

static void batch_init(size_t size)
{
    piece = (struct iovec){.iov_base = data, .iov_len = size};
    for (unsigned i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &piece, .msg_iovlen = 1};
}

int load_send(char **args)
{
    union address to;
    socklen_t len = address_read(&to, args[0], number_read(args[1], 1, 65535));
    unsigned seconds = number_read(args[3], 1, 3600);
    int fd = socket_open(to.any.sa_family, SOCK_DGRAM, 0, 1000);
    uint64_t sent = 0;
    uint64_t start = now_ns();

    batch_init(number_read(args[2], 0, SIZE_MAX_SENT));
    if (connect(fd, &to.any, len))
        fail("connect");
    while (now_ns() - start < seconds * 1000000000ull) {
        int done = sendmmsg(fd, messages, BATCH, 0);

        /* Nobody listening, or no room: a flood does not mind. */
        if (done < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
            fail("sendmmsg");
        sent += done > 0 ? (uint64_t)done : 0;
    }
    printf("flood sent=%lu ms=%lu\n", (unsigned long)sent,
           (unsigned long)((now_ns() - start) / 1000000u));
    return 0;
}

int load_count(char **args)
{
    const struct sockaddr_in6 here = {
        .sin6_family = AF_INET6,
        .sin6_port = htons((uint16_t)number_read(args[0], 1, 65535)),
    };
    uint64_t limit = number_read(args[1], 1, 3600) * 1000000000ull;
    int fd = socket_open(AF_INET6, SOCK_DGRAM, 0, 1000);
    uint64_t received = 0;
    uint64_t first = 0;
    uint64_t last = 0;

    batch_init(sizeof(data));
    if (bind(fd, (const struct sockaddr *)&here, sizeof(here)))
        fail("bind");
    /* From the first datagram on, so that it may be started long before. */
    while (!first || last - first < limit) {
        int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

        if (got < 0 && errno == EAGAIN && first)
            break;
        if (got <= 0)
            continue;
        last = now_ns();
        first = first ? first : last;
        received += (uint64_t)got;
    }
    printf("count received=%lu ms=%lu\n", (unsigned long)received,
           (unsigned long)((last - first) / 1000000u));
    return 0;
}
