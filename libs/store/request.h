/* Inside the server: a request while it is answered, and handlers in files of their own. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "server.h"

struct request {
    struct store_server *s;
    struct store_domain *d;
    struct tx *tx;
    struct store_words words; /* what is left of the payload */
    struct server_message *answer;
    struct server_todo todo;
};

/* Bytes of answer->payload, or a negative error. */
typedef int (*request_handler)(struct request *r);

/* A word as the answer. */
int request_answer(struct request *r, const char *text);

/* "OK", or the error. */
int request_acknowledge(struct request *r, int error);

/* The payload's next word as a number: 0, or -XEN_EINVAL. */
int request_number(struct request *r, uint64_t max, uint64_t *number);

int request_introduce(struct request *r);
int request_release(struct request *r);
int request_get_domain_path(struct request *r);
int request_is_introduced(struct request *r);
int request_resume(struct request *r);
int request_set_target(struct request *r);

#endif
