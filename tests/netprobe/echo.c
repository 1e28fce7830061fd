/* Echoes: ICMP's, which every kernel answers, and UDP's, which exercise transport checksums. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netprobe.h"

#define TIMEOUT_MS  3000u
/* The most payload of an IPv4 datagram behind eight bytes of ICMP or UDP. */
#define PAYLOAD_MAX 65507u
#define HEADER      8u
/* Every size to this one is tried. */
#define DENSE_MAX   1600u

struct exchange {
    int fd;
    bool is_udp;
    bool is_v6;
    union address peer;
    uint16_t id;
    uint8_t out[PAYLOAD_MAX + HEADER];
    uint8_t in[PAYLOAD_MAX + HEADER + 60];
};

static struct exchange exchange;

static void exchange_open(struct exchange *x, const char *kind, const char *address)
{
    socklen_t len = address_read(&x->peer, address, strcmp(kind, "udp") ? 0 : 7);

    x->is_udp = !strcmp(kind, "udp");
    x->is_v6 = x->peer.any.sa_family == AF_INET6;
    if (x->is_udp)
        x->fd = socket_open(x->peer.any.sa_family, SOCK_DGRAM, 0, TIMEOUT_MS);
    else
        x->fd = socket_open(x->peer.any.sa_family, SOCK_RAW,
                            x->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, TIMEOUT_MS);
    x->id = (uint16_t)getpid();
    if (connect(x->fd, &x->peer.any, len))
        fail("connect");
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    if (len % 2)
        sum += (uint32_t)data[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Bytes that another size or another exchange does not have at the same place. */
static void fill(uint8_t *to, size_t size, unsigned seq)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)((i >> 8) + i * 31 + seq * 7 + size);
}

/* The packet of an exchange, header included; UDP's header is the kernel's. */
static size_t build(struct exchange *x, size_t size, unsigned seq)
{
    const uint16_t sum_at = 2;
    uint8_t *h = x->out;
    uint16_t sum;

    fill(h + HEADER, size, seq);
    memset(h, 0, HEADER);
    h[0] = x->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    h[4] = (uint8_t)(x->id >> 8);
    h[5] = (uint8_t)x->id;
    h[6] = (uint8_t)(seq >> 8);
    h[7] = (uint8_t)seq;
    if (!x->is_v6) {
        sum = checksum(h, HEADER + size);
        h[sum_at] = (uint8_t)(sum >> 8);
        h[sum_at + 1] = (uint8_t)sum;
    }
    return HEADER + size;
}

/* Is this the answer to what was built last? An answer to something else is passed over. */
static bool is_answer(const struct exchange *x, const uint8_t *in, size_t len)
{
    const uint8_t reply = x->is_v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;

    return len >= HEADER && in[0] == reply && !memcmp(in + 4, x->out + 4, 4);
}

/* Sends one and waits for its echo: 1 it is the same, 0 it differs, -1 none came. */
static int exchange_one(struct exchange *x, size_t size, unsigned seq)
{
    const size_t skip = x->is_udp ? HEADER : 0;
    const size_t len = build(x, size, seq);

    if (send(x->fd, x->out + skip, len - skip, 0) != (ssize_t)(len - skip))
        fail("send");
    while (1) {
        ssize_t got = recv(x->fd, x->in, sizeof(x->in), 0);
        const uint8_t *in = x->in;

        if (got < 0 && (errno == EAGAIN || errno == ECONNREFUSED))
            return -1;
        if (got < 0)
            fail("recv");
        if (x->is_udp)
            return (size_t)got == size && !memcmp(in, x->out + HEADER, size);
        if (!x->is_v6) { /* A raw socket gives IPv4's header, too. */
            in += (x->in[0] & 15) * 4;
            got -= (x->in[0] & 15) * 4;
        }
        if (got >= 0 && is_answer(x, in, (size_t)got))
            return (size_t)got == len && !memcmp(in + HEADER, x->out + HEADER, size);
    }
}

/* Every small size, then those around a page's multiples and the powers of two, and the largest. */
static bool is_tried(unsigned size)
{
    return size <= DENSE_MAX || (size & (size - 1)) == 0 || (size + 1) % 4096 <= 2 ||
           size == PAYLOAD_MAX;
}

int echo_sizes(char **args)
{
    unsigned tried = 0;
    unsigned good = 0;
    unsigned lost = 0;
    unsigned first = 0;

    exchange_open(&exchange, args[0], args[1]);
    for (unsigned size = 0; size <= PAYLOAD_MAX; size++) {
        int result;

        if (!is_tried(size))
            continue;
        result = exchange_one(&exchange, size, ++tried);
        good += result == 1;
        lost += result < 0;
        if (result != 1 && !first)
            first = size;
    }
    printf("sizes tried=%u good=%u wrong=%u lost=%u first_not_good=%u\n", tried, good,
           tried - good - lost, lost, first);
    return good != tried;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

int echo_times(char **args)
{
    unsigned count = number_read(args[1], 1, 100000);
    unsigned size = number_read(args[2], 0, PAYLOAD_MAX);
    uint64_t *times = calloc(count, sizeof(*times));
    unsigned good = 0;

    if (!times)
        fail("calloc");
    exchange_open(&exchange, "icmp", args[0]);
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = now_ns();

        if (exchange_one(&exchange, size, i) == 1)
            times[good++] = now_ns() - start;
    }
    qsort(times, good, sizeof(*times), compare);
    printf("times good=%u lost=%u", good, count - good);
    if (good)
        printf(" min_us=%lu median_us=%lu p99_us=%lu", (unsigned long)(times[0] / 1000),
               (unsigned long)(times[good / 2] / 1000),
               (unsigned long)(times[(size_t)good * 99 / 100] / 1000));
    printf("\n");
    return good != count;
}

int echo_serve(char **args)
{
    static uint8_t data[PAYLOAD_MAX];
    const struct sockaddr_in6 here = {
        .sin6_family = AF_INET6,
        .sin6_port = htons((uint16_t)number_read(args[0], 1, 65535)),
    };
    int fd = socket_open(AF_INET6, SOCK_DGRAM, 0, 0);

    if (bind(fd, (const struct sockaddr *)&here, sizeof(here)))
        fail("bind");
    while (1) {
        union address from;
        socklen_t len = sizeof(from);
        ssize_t got = recvfrom(fd, data, sizeof(data), 0, &from.any, &len);

        /* Who asked may be gone when the answer comes. */
        if (got >= 0 && sendto(fd, data, (size_t)got, 0, &from.any, len) != got)
            perror("sendto");
    }
}
