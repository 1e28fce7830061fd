/* The bridges of this domain: a switch for each name, with a card behind it or without. */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <switch.h>

#include "nic.h"

#define BRIDGES_MAX     16u
#define BRIDGE_NAME_LEN 16u
#define NICS_MAX        8u

struct bridge {
    bool used;
    char name[BRIDGE_NAME_LEN];
    uint32_t users; /* interfaces of guests */
    struct switch_bridge *sw;
    struct nic *nic; /* NULL: it joins the guests of this host only */
    struct switch_port uplink;
    uint64_t pause; /* the card's frames are left where they are until then */
    bool paused;    /* in this round */
};

struct bridges {
    struct net_batch *batch;
    struct switch_pool *pool;
    uint32_t nic_count;
    struct {
        struct nic *nic;
        char bridge[BRIDGE_NAME_LEN];
    } nics[NICS_MAX];
    struct bridge bridges[BRIDGES_MAX];
};

/*
 * Takes the cards that the command line names by "pci=BB:SS.F", or without such a
 * word all of bus 0. The n-th function is for the bridge brN, but for words
 * "bridge=NAME:N". What does not work is logged and left out. -XEN_ENOMEM.
 *
 * The cards' resets are under way then: there is time for other things, such as to find
 * guests, until bridges_start joins the cards to their bridges.
 */
int bridges_open(struct bridges *b, struct net_batch *batch, int argc, char **argv);
void bridges_start(struct bridges *b);

/* The bridge with this name, made if there is none; NULL: no memory. */
struct bridge *bridge_get(struct bridges *b, const char *name);
void bridge_put(struct bridge *bridge);

/* Frames that have come from cards; whether there were any. */
bool bridges_take(struct bridges *b, uint64_t now);

/* Ends the round: frames go where they belong, cards get buffers. */
void bridges_flush(struct bridges *b, uint64_t now);

/* Does what is due; when there will be something again. */
uint64_t bridges_tick(struct bridges *b, uint64_t now);

/* Nobody looks before the next event, or the end of a pause. False: look again first. */
bool bridges_arm(struct bridges *b);

/* A device interrupt, if the port is one. */
void bridges_irq(struct bridges *b, evtchn_port_t port);

#endif
