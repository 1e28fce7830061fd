/* The store as a Linux program sees it: whole messages through /dev/xen/xenbus. */
#ifndef LINUX_BUS_H
#define LINUX_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/store.h>

#define BUS_FORMAT(n) __attribute__((format(printf, (n), (n) + 1)))
#define BUS_CHECKED   __attribute__((warn_unused_result))

/*
 * Results are zero or positive, or a negative error number: the store's answer,
 * or -EPROTO and read's own when the connection is of no use any more; broken
 * says so. Paths without a '/' in front are relative to the domain's home.
 */
struct bus {
    int fd;
    int broken;   /* 0, or the error that every later request gets */
    bool changed; /* a watched node changed since this was cleared */
    uint32_t last_id;
    struct xsd_sockmsg header; /* of the last message */
    char payload[XENSTORE_PAYLOAD_MAX + 1];
};

/* Takes over an open file. */
void bus_init(struct bus *b, int fd);

/* The value's length; it is NUL-terminated. -E2BIG if it does not fit. */
BUS_CHECKED BUS_FORMAT(4) int bus_read(struct bus *b, char *value, size_t size, const char *path,
                                       ...);
BUS_CHECKED BUS_FORMAT(3) int bus_write(struct bus *b, const char *value, const char *path, ...);

/* Children's names, each with its NUL; how many bytes. -E2BIG if they do not fit. */
BUS_CHECKED BUS_FORMAT(4) int bus_list(struct bus *b, char *names, size_t size, const char *path,
                                       ...);

/* From now on `changed` tells of changes at and below the path. */
BUS_CHECKED int bus_watch(struct bus *b, const char *path);

/* Takes one message that has come: a watch's event. 0, or broken. */
BUS_CHECKED int bus_take(struct bus *b);

#endif
