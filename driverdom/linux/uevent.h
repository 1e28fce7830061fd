/* What the kernel tells of devices that come and go: messages of NUL-terminated words. */
#ifndef LINUX_UEVENT_H
#define LINUX_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

struct uevent {
    bool added;
    char subsystem[16]; /* "" if it does not say */
    char interface[16]; /* of a network device */
};

/* The socket, or a negative error number. */
int uevent_open(void) __attribute__((warn_unused_result));

/* 1: *e is one; 0: none of the kernel's, look again; -ENOBUFS: some were lost. */
int uevent_take(int fd, struct uevent *e) __attribute__((warn_unused_result));

/* text[len] is a message as the kernel sends it, with a NUL behind it. */
void uevent_parse(const char *text, size_t len, struct uevent *e);

/* "vif5.0": domain 5's interface 0. */
bool uevent_vif(const char *interface, unsigned *domain, unsigned *handle);

#endif
