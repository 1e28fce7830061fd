/*
 * How long a device that is used all the time is away, as a guest sees it.
 *
 *   gapprobe disk DEVICE SECONDS    writes and reads of 4 KiB in turn, one at a time, each read
 * checked gapprobe ping ADDRESS SECONDS   an echo request every millisecond
 *
 * Says on standard error when it begins; then each pause between two completions that was longer
 * than LONG_NS, by when it ended.
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK    4096u
#define BLOCKS   2048u
#define LONG_NS  3000000u
#define GAPS_MAX 65536u
#define MS       1000000u

static struct gap {
    uint64_t at;
    uint64_t len;
} gaps[GAPS_MAX];
static unsigned gap_count;
static uint64_t done_count, last_done, started;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int fail(const char *what)
{
    perror(what);
    return EXIT_FAILURE;
}

static void completed(void)
{
    uint64_t now = now_ns();

    if (last_done != 0 && now - last_done > LONG_NS && gap_count < GAPS_MAX)
        gaps[gap_count++] = (struct gap){now - started, now - last_done};
    last_done = now;
    done_count++;
}

static void begin(void)
{
    started = now_ns();
    fprintf(stderr, "gapprobe begins\n");
}

static int print(void)
{
    for (unsigned i = 0; i < gap_count; i++)
        printf("gap at_us=%llu us=%llu\n", (unsigned long long)(gaps[i].at / 1000u),
               (unsigned long long)(gaps[i].len / 1000u));
    printf("gapprobe ends count=%llu ms=%llu\n", (unsigned long long)done_count,
           (unsigned long long)((now_ns() - started) / MS));
    return EXIT_SUCCESS;
}

static int use_disk(const char *path, uint64_t len)
{
    int device = open(path, O_RDWR | O_DIRECT);
    uint8_t *buffer = aligned_alloc(BLOCK, 2 * BLOCK);

    if (device < 0 || !buffer)
        return fail(path);
    begin();
    for (unsigned i = 0; now_ns() - started < len; i = (i + 1) % BLOCKS) {
        memset(buffer, (int)(done_count / 2 & 0xff), BLOCK);
        memset(buffer + BLOCK, (int)~buffer[0], BLOCK);
        if (pwrite(device, buffer, BLOCK, (off_t)i * BLOCK) != (ssize_t)BLOCK)
            return fail("write");
        completed();
        if (pread(device, buffer + BLOCK, BLOCK, (off_t)i * BLOCK) != (ssize_t)BLOCK)
            return fail("read");
        completed();
        if (memcmp(buffer, buffer + BLOCK, BLOCK) != 0) {
            fprintf(stderr, "gapprobe: block %u is not what was written\n", i);
            return EXIT_FAILURE;
        }
    }
    return print();
}

/* The kernel fills in identifier and checksum of an echo socket's requests. */
static int use_ping(const char *address, uint64_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int s = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    struct {
        struct icmphdr header;
        uint8_t data[56];
    } packet = {.header = {.type = ICMP_ECHO}};

    if (s < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(s, (const struct sockaddr *)&to, sizeof(to)) != 0)
        return fail(address);
    begin();
    for (uint64_t next = started; now_ns() - started < len;) {
        uint64_t now = now_ns();
        struct pollfd wait = {.fd = s, .events = POLLIN};
        struct timespec time = {0};
        uint8_t answer[128];

        if (now >= next) {
            packet.header.un.echo.sequence++;
            (void)!send(s, &packet, sizeof(packet), 0);
            next = now - next > MS ? now + MS : next + MS;
            continue;
        }
        time.tv_nsec = (long)(next - now);
        if (ppoll(&wait, 1, &time, NULL) > 0)
            while (recv(s, answer, sizeof(answer), MSG_DONTWAIT) > 0)
                completed();
    }
    return print();
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: gapprobe disk|ping DEVICE|ADDRESS SECONDS\n");
        return EXIT_FAILURE;
    }

    uint64_t len = strtoull(argv[3], NULL, 10) * 1000u * MS;

    return strcmp(argv[1], "disk") == 0 ? use_disk(argv[2], len) : use_ping(argv[2], len);
}
