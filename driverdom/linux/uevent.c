/* The kernel's uevents by netlink. */
#include "uevent.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 8192u

/* Linux' own headers are not musl's; this is <linux/netlink.h>. */
#define UEVENTS 15
struct address {
    sa_family_t family;
    uint16_t pad;
    uint32_t sender; /* 0: the kernel */
    uint32_t groups;
};
#define KERNEL_GROUP 1u

int uevent_open(void)
{
    struct address at = {.family = AF_NETLINK, .groups = KERNEL_GROUP};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, UEVENTS);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)) < 0) {
        int rc = -errno;

        close(fd);
        return rc;
    }
    return fd;
}

/* The value if the word is KEY=value; a longer one than fits is none. */
static void take(const char *word, const char *key, char *out, size_t size)
{
    size_t len = strlen(key);

    if (strncmp(word, key, len) == 0 && strlen(word + len) < size)
        (void)snprintf(out, size, "%s", word + len);
}

void uevent_parse(const char *text, size_t len, struct uevent *e)
{
    char action[16] = "";

    *e = (struct uevent){0};
    for (const char *word = text; word < text + len; word += strlen(word) + 1) {
        take(word, "ACTION=", action, sizeof(action));
        take(word, "SUBSYSTEM=", e->subsystem, sizeof(e->subsystem));
        take(word, "INTERFACE=", e->interface, sizeof(e->interface));
    }
    e->added = strcmp(action, "add") == 0;
}

int uevent_take(int fd, struct uevent *e)
{
    static char text[MESSAGE_MAX + 1];
    struct address from = {0};
    struct iovec part = {text, MESSAGE_MAX};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
    ssize_t len = recvmsg(fd, &message, 0);

    if (len < 0)
        return errno == ENOBUFS ? -ENOBUFS : 0;
    if (from.sender != 0) /* some program's */
        return 0;
    text[len] = '\0';
    uevent_parse(text, (size_t)len, e);
    return 1;
}

bool uevent_vif(const char *interface, unsigned *domain, unsigned *handle)
{
    char again[16];

    if (sscanf(interface, "vif%5u.%5u", domain, handle) != 2)
        return false;
    (void)snprintf(again, sizeof(again), "vif%u.%u", *domain, *handle);
    return strcmp(again, interface) == 0;
}
