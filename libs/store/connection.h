/* Inside the service: its connections, and what it keeps of them. */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <abi/event.h>
#include <abi/grant.h>
#include <ring.h>

#include "keep.h"
#include "store_service.h"

struct connection {
    struct connection *next;
    domid_t domid;
    evtchn_port_t remote; /* the domain's own */
    struct store_domain *domain;
    struct xenstore_domain_interface *page;
    grant_handle_t handle;
    evtchn_port_t port; /* 0: not connected */
    struct ring_reader in;
    struct ring_writer out;
    bool gone;         /* not served any more, waits to be freed */
    bool ready;        /* there may be something to do */
    bool broken;       /* it does not keep to the protocol */
    bool logged;       /* and that was said */
    bool heard;        /* the last it got was an event: a request comes first now */
    bool notify;       /* at the end of this turn */
    uint32_t error;    /* if broken: which word of the protocol says so */
    uint32_t in_at;    /* the request ring up to here is answered, or in `request` */
    uint32_t out_base; /* in the answer ring `answer` begins here */
    uint32_t in_got;
    uint32_t out_at;
    uint32_t out_len;
    struct server_message request;
    struct server_message answer;
};

struct store_service {
    struct store_server *server;
    struct connection *connections;
    struct journal journal;
};

/* ---- connection.c: one of them -----------------------------------------------------------------
 */

/*
 * Maps the page, binds the port and goes on where the page's indices say. anew: of
 * an earlier connection there may be bytes in the page, ours too, or a mark that it
 * is broken: they are taken away, as the domain does not run. 0, or an error.
 */
int connection_open(struct connection *c, bool anew);

/*
 * The same for one that a last life served, which goes on where that stopped: 0;
 * -XEN_EIO if the client has lost the place; or another error.
 */
int connection_resume(struct connection *c);
void connection_close(struct connection *c);

/* Both rings begin anew, with everything that was under way. */
void connection_reset(struct connection *c);

/* Puts what is left of the answer: 1 if nothing is, 0 if the ring is full, or an error. */
int connection_flush(struct connection *c);

/*
 * Looks for the end of one request: 1 if it is there, 0 if not, or an error. *taken
 * bytes of the ring are in `request` then, and must be passed when they are kept;
 * after that it must be looked again, before one sleeps.
 */
int connection_receive(struct connection *c, uint32_t *taken);

/* `answer` goes out next. */
void connection_answer(struct connection *c, uint32_t out_base);

/* ---- service.c ---------------------------------------------------------------------------------
 */

struct connection *service_find(const struct store_service *v, domid_t domid);

/* One that is not connected yet; NULL: no memory. */
struct connection *service_add(struct store_service *v, domid_t domid, evtchn_port_t remote);

/* Frees those that are gone. */
void service_sweep(struct store_service *v);

/* A client broke the protocol; or wants to start anew. */
void service_fail(struct store_service *v, struct connection *c, uint32_t error);
void service_reconnect(struct store_service *v, struct connection *c);

/* What was added to the journal counts from now on. */
void service_commit(struct store_service *v);

/* ---- replay.c ----------------------------------------------------------------------------------
 */

/* What a last life left is there again, but not connected: true; false: there is nothing. */
bool service_replay(struct store_service *v, domid_t control);

/* All there is, written anew. */
void service_save(struct store_service *v);

#endif
