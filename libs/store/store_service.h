/*
 * The store's connections: rings and event channels of the domains it serves, in
 * front of the server core. Each connection gets one request or event per turn;
 * one that does not take its answers stands still, alone.
 *
 * A service that keeps what it does (service_keep) may die at any store: the next
 * life has done each request once or not at all, and sends what had not gone out.
 */
#ifndef STORE_SERVICE_H
#define STORE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "store_server.h"

struct store_service;

/* NULL: no memory. */
struct store_service *service_create(const struct store_limits *limits);

/*
 * What is done from now on is kept in memory that outlives the domain; what a last
 * life left there is taken over first, clients included (true; false: nothing,
 * and whoever is to be served must be opened). `control` alone is privileged.
 */
bool service_keep(struct store_service *v, void *area, size_t len, domid_t control);

/* Lets go of every connection. */
void service_destroy(struct store_service *v);

/*
 * Connects a domain through its reserved grant and its port; a connection that it
 * had is dropped with its watches, its transactions and what lies in its ring, so
 * it is not to run meanwhile. 0, or a negative error.
 */
int service_open(struct store_service *v, domid_t domid, evtchn_port_t port, bool privileged);

/* Whether a domain has a connection. */
bool service_serves(const struct store_service *v, domid_t domid);

/* A port had an event. */
void service_event(struct store_service *v, evtchn_port_t port);

/* One turn for everybody; true while there is more to do before the next event. */
bool service_turn(struct store_service *v);

/* The core behind it, for tests. */
struct store_server *service_server(struct store_service *v);

#endif
