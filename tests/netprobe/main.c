/*
 * Tries a network from inside a guest: echoes of every size, floods, single frames.
 *
 *   netprobe COMMAND ARGUMENT...
 *
 * Each command prints one line of NAME=VALUE words; the status is 1 if something was wrong.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "netprobe.h"

static const struct command {
    const char *name;
    const char *args;
    int count;
    command_fn *run;
} commands[] = {
    {"sizes", "icmp|udp ADDRESS", 2, echo_sizes},
    {"times", "ADDRESS COUNT SIZE", 3, echo_times},
    {"echo", "PORT", 1, echo_serve},
    {"flood", "ADDRESS PORT SIZE SECONDS", 4, load_send},
    {"count", "PORT SECONDS", 2, load_count},
    {"frame", "INTERFACE COUNT PATTERN", 3, frame_send},
    {"sniff", "INTERFACE PATTERN LAST", 3, frame_count},
};

void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

unsigned number_read(const char *text, unsigned min, unsigned max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end || value < min || value > max) {
        fprintf(stderr, "%s: not a number from %u to %u\n", text, min, max);
        exit(EXIT_FAILURE);
    }
    return (unsigned)value;
}

socklen_t address_read(union address *to, const char *text, unsigned port)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    socklen_t len;

    if (getaddrinfo(text, NULL, &hints, &found)) {
        fprintf(stderr, "%s: not an address\n", text);
        exit(EXIT_FAILURE);
    }
    len = found->ai_addrlen;
    memcpy(to, found->ai_addr, len);
    freeaddrinfo(found);
    if (to->any.sa_family == AF_INET)
        to->v4.sin_port = htons((uint16_t)port);
    else
        to->v6.sin6_port = htons((uint16_t)port);
    return len;
}

int socket_open(int family, int type, int protocol, unsigned timeout_ms)
{
    const struct timeval time = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    const int size = 1 << 20;
    int fd = socket(family, type, protocol);

    if (fd < 0)
        fail("socket");
    /* The kernel's limit for the buffers is less than a large datagram in many pieces takes. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)))
        fail("setsockopt");
    return fd;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!strcmp(argv[1], commands[i].name) && argc == commands[i].count + 2)
            return commands[i].run(argv + 2);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(stderr, "netprobe %s %s\n", commands[i].name, commands[i].args);
    return 2;
}
