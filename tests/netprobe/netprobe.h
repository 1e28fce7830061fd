/* Parts of a program that tries a network from inside a guest: one command each. */
#ifndef NETPROBE_H
#define NETPROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A command's arguments; the status of the program. */
typedef int command_fn(char **args);

command_fn echo_sizes;  /* icmp|udp ADDRESS */
command_fn echo_times;  /* ADDRESS COUNT SIZE */
command_fn echo_serve;  /* PORT */
command_fn load_send;   /* ADDRESS PORT SIZE SECONDS */
command_fn load_count;  /* PORT SECONDS */
command_fn frame_send;  /* INTERFACE COUNT PATTERN */
command_fn frame_count; /* INTERFACE PATTERN LAST */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Reads an address as numbers; "%INTERFACE" may follow an IPv6 one. Ends the program if it is none.
 */
socklen_t address_read(union address *to, const char *text, unsigned port);

/* A number from MIN to MAX, or the program ends. */
unsigned number_read(const char *text, unsigned min, unsigned max);

/* Ends the program with what errno says. */
_Noreturn void fail(const char *what);

uint64_t now_ns(void);

/* A socket whose receiving gives up after a while; the buffers hold the largest datagram. */
int socket_open(int family, int type, int protocol, unsigned timeout_ms);

#endif
