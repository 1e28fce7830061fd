/*
 * All consoles together: what guests write goes into their histories and to the
 * core's console, what is typed goes to the guest that the core says is
 * attached. A newly attached session is shown the history first, so that every
 * byte comes once and in order. What a guest wrote stays in its ring until it has
 * been shown: a service that dies and comes back loses nothing of it. Histories, and
 * how much of one a session has been shown, lie in memory that its next life finds.
 *
 * Work is done in turns, each with a bound for every guest: none can keep the
 * others from being served.
 */
#ifndef CON_HUB_H
#define CON_HUB_H

#include <stdbool.h>

#include <abi/bulkhead.h>

#include "con_back.h"
#include "con_keep.h"

/* Bytes that a guest may have written in one turn; typed bytes kept for a guest that is slow. */
#define CON_TURN      1024u
#define CON_TYPED_MAX 256u

struct con_client {
    domid_t domid;
    evtchn_port_t remote; /* the guest's port, as the control domain said */
    void *space;
    bool work;  /* it may have written something */
    bool again; /* its first ring of this life: a last one may have served it */
    struct con_back back;
    size_t typed_len;
    char typed[CON_TYPED_MAX];
    struct con_keep_client *keep;
};

struct con_hub {
    struct con_keep *keep;
    struct con_client *clients[CON_CLIENTS_MAX]; /* at their places in keep; NULL: free */
    bool input;                                  /* the core may have something for us */
    uint32_t session;
    domid_t attached;
    bool replaying; /* the attached guest's history, from... */
    uint64_t at;    /* ...here on; meanwhile its new output waits in its ring */
};

/* keep: memory of zeroes, or what a last life left. */
void con_hub_init(struct con_hub *hub, struct con_keep *keep);

/*
 * A guest's console appears, or has another port. The history of the same
 * domain id goes on. 0, or an error that was logged.
 */
int con_hub_add(struct con_hub *hub, domid_t domid, evtchn_port_t remote);

/* All clients there are have been added: what is kept of others goes. */
void con_hub_settle(struct con_hub *hub);

/* A guest is gone: the rest of its output is shown, its history forgotten. */
void con_hub_remove(struct con_hub *hub, domid_t domid);

/* The guest of a client's local port has done something; false: no client's port. */
bool con_hub_event(struct con_hub *hub, evtchn_port_t port);

/* One turn; true: there is more to do. */
bool con_hub_turn(struct con_hub *hub);

#endif
