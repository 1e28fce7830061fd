/*
 * How much goes through a device that is used all the time: a line five times a second, to the end
 * of the guest.
 *
 *   rateprobe disk DEVICE                   reads of 1 MiB, one at a time, in order, past the cache
 *   rateprobe send|receive ADDRESS PORT     a TCP stream
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK     (1u << 20)
#define PIECE     (64u << 10)
#define PERIOD_US 200000u

static uint64_t bytes, last;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int fail(const char *what)
{
    perror(what);
    return EXIT_FAILURE;
}

/* One line goes out in one write, so that no other stands in its middle. */
static void moved(size_t count)
{
    uint64_t now = now_us();
    char line[64];

    bytes += count;
    if (now - last < PERIOD_US)
        return;
    last = now;

    int len = snprintf(line, sizeof(line), "rate at_us=%llu bytes=%llu\n", (unsigned long long)now,
                       (unsigned long long)bytes);

    (void)!write(STDOUT_FILENO, line, (size_t)len);
}

static int use_disk(const char *path)
{
    int device = open(path, O_RDONLY | O_DIRECT);
    off_t end = device < 0 ? -1 : lseek(device, 0, SEEK_END);
    uint8_t *buffer = aligned_alloc(4096, BLOCK);

    if (end < (off_t)BLOCK || !buffer)
        return fail(path);
    for (off_t at = 0;; at = at + 2 * (off_t)BLOCK <= end ? at + (off_t)BLOCK : 0) {
        if (pread(device, buffer, BLOCK, at) != (ssize_t)BLOCK)
            return fail("read");
        moved(BLOCK);
    }
}

static int use_stream(const char *address, const char *port, bool sends)
{
    static uint8_t piece[PIECE];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int s = socket(AF_INET, SOCK_STREAM, 0);

    if (s < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(s, (const struct sockaddr *)&to, sizeof(to)) != 0)
        return fail(address);
    for (;;) {
        ssize_t count = sends ? send(s, piece, PIECE, 0) : recv(s, piece, PIECE, 0);

        if (count <= 0)
            return fail("stream");
        moved((size_t)count);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "disk") == 0)
        return use_disk(argv[2]);
    if (argc == 4 && strcmp(argv[1], "send") == 0)
        return use_stream(argv[2], argv[3], true);
    if (argc == 4 && strcmp(argv[1], "receive") == 0)
        return use_stream(argv[2], argv[3], false);
    fprintf(stderr, "usage: rateprobe disk DEVICE | send|receive ADDRESS PORT\n");
    return EXIT_FAILURE;
}
