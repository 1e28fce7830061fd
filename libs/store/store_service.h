/*
 * The store's connections: rings and event channels of the domains it serves, in
 * front of the server core. Each connection gets one request or event per turn;
 * one that does not take its answers stands still, alone.
 */
#ifndef STORE_SERVICE_H
#define STORE_SERVICE_H

#include <stdbool.h>

#include "store_server.h"

struct store_service;

/* NULL: no memory. */
struct store_service *service_create(const struct store_limits *limits);

/* Lets go of every connection. */
void service_destroy(struct store_service *v);

/*
 * Connects a domain through its reserved grant and its port; a connection that it
 * had is dropped with its watches, its transactions and what lies in its ring, so
 * it is not to run meanwhile. 0, or a negative error.
 */
int service_open(struct store_service *v, domid_t domid, evtchn_port_t port, bool privileged);

/* A port had an event. */
void service_event(struct store_service *v, evtchn_port_t port);

/* One turn for everybody; true while there is more to do before the next event. */
bool service_turn(struct store_service *v);

/* The core behind it, for tests. */
struct store_server *service_server(struct store_service *v);

#endif
