/* Requests to the store and their answers; what fires in between is remembered in one bit. */
#include "bus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <store_wire.h>

void bus_init(struct bus *b, int fd)
{
    memset(b, 0, sizeof(*b));
    b->fd = fd;
}

static int fail(struct bus *b, int error)
{
    if (b->broken == 0)
        b->broken = error;
    return b->broken;
}

static int receive_bytes(struct bus *b, void *out, size_t len)
{
    char *at = out;

    while (len > 0) {
        ssize_t got = read(b->fd, at, len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail(b, got < 0 ? -errno : -EPROTO);
        at += got;
        len -= (size_t)got;
    }
    return 0;
}

static int receive(struct bus *b)
{
    int rc = receive_bytes(b, &b->header, sizeof(b->header));

    if (rc == 0 && b->header.len > XENSTORE_PAYLOAD_MAX)
        rc = fail(b, -EPROTO);
    if (rc == 0)
        rc = receive_bytes(b, b->payload, b->header.len);
    if (rc < 0)
        return rc;
    b->payload[b->header.len] = '\0';
    return 0;
}

int bus_take(struct bus *b)
{
    int rc = b->broken ? b->broken : receive(b);

    if (rc == 0 && b->header.type != XS_WATCH_EVENT)
        rc = fail(b, -EPROTO);
    b->changed = true;
    return rc;
}

/* The answer's length, the answer in b->payload. */
static int answer(struct bus *b, enum xsd_sockmsg_type type)
{
    int rc;

    for (;;) {
        rc = receive(b);
        if (rc < 0)
            return rc;
        if (b->header.type != XS_WATCH_EVENT)
            break;
        b->changed = true;
    }
    if (b->header.req_id != b->last_id ||
        (b->header.type != XS_ERROR && b->header.type != (uint32_t)type))
        return fail(b, -EPROTO);
    return b->header.type == XS_ERROR ? store_error_number(b->payload, strlen(b->payload))
                                      : (int)b->header.len;
}

/* A path with its NUL, then `more`, in one message: the kernel takes it whole. */
static int request(struct bus *b, enum xsd_sockmsg_type type, const char *path, const char *more,
                   size_t more_len)
{
    struct {
        struct xsd_sockmsg header;
        char payload[XENSTORE_PAYLOAD_MAX];
    } message;
    size_t len = strlen(path) + 1;
    ssize_t size;

    if (b->broken)
        return b->broken;
    if (len + more_len > sizeof(message.payload))
        return -E2BIG;
    message.header = (struct xsd_sockmsg){
        .type = type, .req_id = ++b->last_id, .len = (uint32_t)(len + more_len)};
    memcpy(message.payload, path, len);
    if (more_len > 0)
        memcpy(message.payload + len, more, more_len);
    size = (ssize_t)(sizeof(message.header) + len + more_len);
    if (write(b->fd, &message, (size_t)size) != size)
        return fail(b, -EIO);
    return answer(b, type);
}

static int take_path(char path[XENSTORE_ABS_PATH_MAX], const char *format, va_list args)
{
    int len = vsnprintf(path, XENSTORE_ABS_PATH_MAX, format, args);

    return len < 0 || len >= XENSTORE_ABS_PATH_MAX ? -EINVAL : 0;
}

/* One request with a path alone, whose answer goes to out[size], with a NUL behind it. */
static int ask(struct bus *b, enum xsd_sockmsg_type type, char *out, size_t size,
               const char *format, va_list args)
{
    char path[XENSTORE_ABS_PATH_MAX];
    int rc = take_path(path, format, args);

    if (rc == 0)
        rc = request(b, type, path, NULL, 0);
    if (rc >= 0 && (size_t)rc >= size)
        rc = -E2BIG;
    if (rc >= 0)
        memcpy(out, b->payload, (size_t)rc + 1);
    return rc;
}

int bus_read(struct bus *b, char *value, size_t size, const char *path, ...)
{
    va_list args;
    int rc;

    va_start(args, path);
    rc = ask(b, XS_READ, value, size, path, args);
    va_end(args);
    /* A value of several words is none that is known here. */
    return rc >= 0 && strlen(value) != (size_t)rc ? -EINVAL : rc;
}

int bus_list(struct bus *b, char *names, size_t size, const char *path, ...)
{
    va_list args;
    int rc;

    va_start(args, path);
    rc = ask(b, XS_DIRECTORY, names, size, path, args);
    va_end(args);
    return rc > 0 && names[rc - 1] != '\0' ? -EINVAL : rc;
}

int bus_write(struct bus *b, const char *value, const char *path, ...)
{
    char full[XENSTORE_ABS_PATH_MAX];
    va_list args;
    int rc;

    va_start(args, path);
    rc = take_path(full, path, args);
    va_end(args);
    if (rc == 0)
        rc = request(b, XS_WRITE, full, value, strlen(value));
    return rc < 0 ? rc : 0;
}

int bus_watch(struct bus *b, const char *path)
{
    static const char token[] = "t";
    int rc = request(b, XS_WATCH, path, token, sizeof(token));

    return rc < 0 ? rc : 0;
}
