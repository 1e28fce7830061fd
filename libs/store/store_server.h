/*
 * The store's core: the tree, transactions, watches, permissions and quotas,
 * without any effect on the world: one message in, one answer out. Who carries
 * the messages is store_service.h.
 *
 * Whatever a domain sends costs it, not others: all that is kept for a domain is
 * charged to it, and a request's work is bounded by its own size and by what it
 * touches.
 */
#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/store.h>
#include <xen/event_channel.h>

/* What one unprivileged domain may take; the privileged one is bound by memory alone. */
struct store_limits {
    unsigned nodes;             /* owned */
    unsigned node_bytes;        /* value, names of children and permissions of one node */
    unsigned perms;             /* entries on one node */
    unsigned watches;           /* registered */
    unsigned events;            /* of watches, not yet taken */
    unsigned transactions;      /* open */
    unsigned transaction_nodes; /* seen or changed by one transaction */
    size_t domain_bytes;        /* all that is kept for it */
    unsigned request_lives;     /* that one request may end before it is refused; 0: any number */
    /* For everybody; the last eighth is for the privileged, the one before for who serves others.
     */
    size_t total_bytes;
};

/* Who serves others may have so many times as many nodes, watches and bytes. */
#define STORE_SERVES_SHARE 4u

extern const struct store_limits store_limits_default;

struct store_server;
struct store_domain;

/* NULL: no memory. limits are copied. */
struct store_server *server_create(const struct store_limits *limits);
void server_destroy(struct store_server *s);

/* The domain if it is introduced, else NULL. */
struct store_domain *server_domain(struct store_server *s, domid_t domid);

/*
 * A domain's connection begins: its predecessor's watches, transactions and
 * unread events are dropped, its nodes stay. NULL: no memory.
 */
struct store_domain *server_introduce(struct store_server *s, domid_t domid, bool privileged);

/* Whether a domain serves others; said at each introduction. */
void server_serves(struct store_domain *d, bool serves);

/* The domain is gone: what it owned now belongs to the control domain. */
void server_release(struct store_server *s, domid_t domid);

/* Drops watches, transactions and unread events: the connection starts anew. */
void server_reset(struct store_server *s, struct store_domain *d);

/* What the carrier of messages has to do for a request before the answer goes out. */
enum server_action {
    SERVER_ACTION_NONE,
    SERVER_ACTION_INTRODUCE, /* connect `domid` through `port`, and server_introduce it */
    SERVER_ACTION_RELEASE,   /* disconnect `domid`, and server_release it */
};

/* A message to a domain. */
struct server_message {
    struct xsd_sockmsg header;
    char payload[STORE_PAYLOAD_MAX];
};

struct server_todo {
    enum server_action action;
    domid_t domid;
    evtchn_port_t port;
    bool serves; /* INTRODUCE: server_serves, then */
};

/* Answers one whole request; header.len bytes of payload, at most STORE_PAYLOAD_MAX. */
struct server_todo server_request(struct store_server *s, struct store_domain *d,
                                  const struct xsd_sockmsg *header, const char *payload,
                                  struct server_message *answer);

/* Turns an answer into an error's. */
void server_refuse(struct server_message *answer, int error);

/* The domain's next watch event; false: there is none. */
bool server_event(struct store_server *s, struct store_domain *d, struct server_message *event);
bool server_has_event(const struct store_domain *d);

/* For tests: every count agrees with what it counts. */
bool server_is_consistent(const struct store_server *s);

/* Bytes charged to a domain, and to all. */
size_t server_bytes(const struct store_server *s, const struct store_domain *d);

#endif
