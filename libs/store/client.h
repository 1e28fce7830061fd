/* Inside the client: requests and their answers, for the files that give them names. */
#ifndef STORE_CLIENT_INSIDE_H
#define STORE_CLIENT_INSIDE_H

#include <stdarg.h>

#include "store_client.h"

/* A piece of a request's payload. */
struct client_part {
    const void *data;
    size_t len;
};

/*
 * Sends a request and waits for its answer: the payload's length, the payload
 * in c->message with a NUL behind it; or the error that the store answered.
 */
STORE_CHECKED int client_request(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                                 const struct client_part *parts, size_t count);

/* As before, for a request that is answered with "OK": 0 or a negative error. */
STORE_CHECKED int client_command(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                                 const struct client_part *parts, size_t count);

/*
 * The two halves, for several requests at once: sends without waiting if the
 * whole request fits into the ring (1) or does nothing (0); answers come in order.
 */
STORE_CHECKED int client_try_send(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                                  const struct client_part *parts, size_t count);
STORE_CHECKED int client_answer(struct store_client *c, enum xsd_sockmsg_type type, uint32_t id);

/*
 * Takes what is in the ring: watch events go to the queue. 0, or the connection's error, which
 * also stays in c->broken.
 */
int client_poll(struct store_client *c);

/* Sleeps until something came from the store; false at the deadline. */
bool client_sleep(struct store_client *c, uint64_t deadline);

/* Formats a path; its length with the NUL, or -XEN_EINVAL. */
STORE_CHECKED int client_path(char path[STORE_PATH_MAX + 1], const char *format, va_list args);

/* A path given by format as the one string of a request; the format's name must be `path`. */
#define CLIENT_PATH(buffer, len)                                                                   \
    char buffer[STORE_PATH_MAX + 1];                                                               \
    va_list buffer##_args;                                                                         \
    va_start(buffer##_args, path);                                                                 \
    int len = client_path(buffer, path, buffer##_args);                                            \
    va_end(buffer##_args)

/* The connection is beyond repair: every later request gets this error. */
int client_break(struct store_client *c, int error);

#endif
