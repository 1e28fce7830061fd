/*
 * The network interfaces that guests have from this domain: what the store says
 * of them, the back ends that serve them, and their ports of switches.
 */
#ifndef VIF_H
#define VIF_H

#include <bus_back.h>
#include <bus_keep.h>
#include <net_back.h>

#include "bridge.h"

#define VIFS_MAX 40u

/* Back ends are large: each comes with its interface and goes with it. */
struct vif {
    struct bus_device bus; /* first */
    char bridge_name[BRIDGE_NAME_LEN];
    uint16_t mtu;
    struct switch_port_config config;
    struct bridge *bridge; /* NULL: not a port of it */
    struct switch_port port;
    struct net_back *back;
    struct net_redo *redo; /* NET_QUEUES_MAX of them, in memory that a restart keeps */
    void *space;
};

struct vifs {
    struct bus_back bus; /* first */
    struct bridges *bridges;
    struct net_batch *batch;
    struct bus_keep keep;
    struct vif vifs[VIFS_MAX];
};

static inline struct vif *vif_of(struct bus_device *d)
{
    return (struct vif *)d;
}

/* Adopts what a last life served; bus_back_watch on v->bus has to follow. 0 or an error. */
int vifs_open(struct vifs *v, struct store_client *store, struct bridges *bridges,
              struct net_batch *batch);

/* Takes what guests send, and gives it to the switches; whether there was any. */
bool vifs_take(struct vifs *v, uint64_t now);

/* Ends the round: answers; whether that makes another one needed. */
bool vifs_answer(struct vifs *v);

/* Does what is due; when there will be something again. */
uint64_t vifs_tick(struct vifs *v, uint64_t now);

/* For fault injection: a page of a ring that a guest shares, chosen by `pick`; NULL: none does. */
void *vifs_ring_page(struct vifs *v, uint64_t pick);

/* vif_node.c: one interface's talk with the store, for the table of vif.c. */
int vif_check(struct bus_back *b, struct bus_device *d, char *why, size_t len);
int vif_offer(struct bus_back *b, struct bus_device *d);
int vif_link_read(struct vifs *v, const struct vif *d, struct net_link *link, const char **why);
void vif_look(struct bus_back *b, struct bus_device *d);
void vif_count(const struct bus_device *d, char *text, size_t len);

#endif
