/*
 * Direct reads from a block device, timed: runs inside a guest and inside plain Linux.
 *
 *   ioprobe DEVICE seq|rand SIZE COUNT
 *
 * COUNT reads of SIZE bytes, one at a time, in order from the device's start or at random places.
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096u

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int fail(const char *what)
{
    perror(what);
    return EXIT_FAILURE;
}

/* A fixed sequence, so that two runs read the same places. */
static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Times of all reads in nanoseconds, ordered by time; NULL if one failed. */
static uint64_t *measure(int device, bool random, size_t size, unsigned count, uint64_t blocks)
{
    uint64_t *times = malloc(count * sizeof(*times));
    void *buffer = aligned_alloc(BLOCK, size);

    if (!times || !buffer)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        uint64_t block = (random ? draw() : i) % blocks;
        uint64_t start = now_ns();

        if (pread(device, buffer, size, (off_t)(block * size)) != (ssize_t)size)
            return NULL;
        times[i] = now_ns() - start;
    }
    free(buffer);
    return times;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: ioprobe DEVICE seq|rand SIZE COUNT\n");
        return EXIT_FAILURE;
    }

    size_t size = strtoul(argv[3], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[4], NULL, 10);
    int device = open(argv[1], O_RDONLY | O_DIRECT);
    off_t bytes = device < 0 ? -1 : lseek(device, 0, SEEK_END);

    if (bytes < 0)
        return fail(argv[1]);
    if (size == 0 || size % BLOCK || count == 0 || (uint64_t)bytes < size) {
        fprintf(stderr, "ioprobe: SIZE is a multiple of %u, COUNT not 0\n", BLOCK);
        return EXIT_FAILURE;
    }

    uint64_t start = now_ns();
    uint64_t *times =
        measure(device, strcmp(argv[2], "rand") == 0, size, count, (uint64_t)bytes / size);
    uint64_t total = now_ns() - start;

    if (!times)
        return fail("read");
    qsort(times, count, sizeof(*times), compare);
    printf("ioprobe %s size=%zu count=%u kib_per_s=%llu median_ns=%llu p99_ns=%llu\n", argv[2],
           size, count,
           (unsigned long long)((uint64_t)size * count * 1000000u / 1024u * 1000u / total),
           (unsigned long long)times[count / 2],
           (unsigned long long)times[(uint64_t)count * 99 / 100]);
    return EXIT_SUCCESS;
}
