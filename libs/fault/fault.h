/*
 * Fault injection: makes this domain fail on purpose, in the ways drivers fail,
 * when the control domain orders it by a node of the store. Only a domain whose
 * command line says that it may be ordered listens; its log says so.
 *
 * The caller gives every event of its store connection to fault_event, and calls
 * fault_settle afterwards, from its main loop: there the fault happens.
 */
#ifndef FAULT_H
#define FAULT_H

#include <store_client.h>

#include "fault_kind.h"

/* What of a domain only it knows. */
struct fault_parts {
    /* A page of a ring that a front end shares: which one is chosen by `pick`. NULL: none is. */
    void *(*ring)(void *context, uint64_t pick);
    void *context;
};

struct fault {
    struct store_client *store; /* NULL: no orders are taken */
    struct fault_parts parts;
    int argc;
    char **argv; /* names the domain's functions */
    bool due;
};

/* Listens for orders if the command line allows them. 0, or the store's error. */
int fault_open(struct fault *f, struct store_client *store, const struct fault_parts *parts,
               int argc, char **argv);

/* A watch fired: whether it was this one. */
bool fault_event(struct fault *f, const struct store_event *event);

/* Carries out the order that there may be, and may not return from it. */
void fault_settle(struct fault *f);

/* act.c: carries out one order. */
void fault_act(const struct fault *f, const struct fault_order *order);

#endif
