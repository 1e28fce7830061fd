/*
 * The devices of one kind that a domain serves, as the store tells of them: they
 * come, are checked and offered, connect, answer for what they count, close and
 * go. What the kind is stands in a table of its functions.
 */
#ifndef BUS_BACK_H
#define BUS_BACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>

#include <store_client.h>

#include "bus_keep.h"

/* First in what a kind keeps of a device. */
struct bus_device {
    bool used;
    domid_t guest;
    uint32_t number; /* the device's, as in the store */
    char front[64];  /* the front end's directory */
    enum { BUS_NEW, BUS_GOOD, BUS_BAD } checked;
    bool changed;                    /* its nodes are to be read again */
    bool asked;                      /* for its counters */
    bool closing;                    /* nothing more is served; then it is disconnected */
    bool inherited;                  /* BUS_NEW: a last life of this domain served it */
    bool untold;                     /* adopted, its front end not yet watched nor told */
    bool complained;                 /* of the front end's breaking the protocol */
    unsigned own;                    /* our state, as last read or written */
    const struct bus_device *behind; /* BUS_NEW: who must let go before this can be checked */
};

#define BUS_WHY_LEN      512u
#define BUS_COUNTERS_LEN 1024u

struct bus_back {
    const struct bus_kind *kind;
    struct store_client *store;
    void *devices;  /* kind->max, each of kind->size */
    uint32_t limit; /* none is used from here on: rounds are short where devices are few */
    bool watches;   /* those who waited since a last life are served */
    bool scan;      /* events were dropped: everything is to be looked at again */
};

struct bus_kind {
    const char *name; /* as in the store's paths: "vbd" */
    /* Nodes of the front end that `look` reads: it may change them while it is connected. */
    const char *const *watched;
    uint32_t watched_count;
    uint32_t max;
    size_t size;
    /* Memory for a device, all zero before but for its struct bus_device. 0 or an error. */
    int (*make)(struct bus_back *b, struct bus_device *d);
    void (*unmake)(struct bus_back *b, struct bus_device *d);
    /*
     * Can this be served? 0, or an error with one line in why. -XEN_EAGAIN: not
     * before d->behind has let go.
     */
    int (*check)(struct bus_back *b, struct bus_device *d, char *why, size_t len);
    /* Writes what is offered. 0 or an error. */
    int (*offer)(struct bus_back *b, struct bus_device *d);
    /*
     * 0, or an error with in *why what the front end does wrong. adopt: the front
     * end is connected, to a last life of this domain, and knows nothing of its end.
     */
    int (*connect)(struct bus_back *b, struct bus_device *d, bool adopt, const char **why);
    bool announced; /* after an adoption the state is written anew, so that the guest speaks up */
    /* NULL: nothing changes while connected. */
    void (*look)(struct bus_back *b, struct bus_device *d);
    /* Serves nothing more; whether nobody is at its front end's pages any more. Asked until then.
     */
    bool (*close)(struct bus_back *b, struct bus_device *d);
    bool (*is_drained)(const struct bus_device *d);
    /* Lets go of rings and ports; of nothing, if it was not connected. */
    void (*disconnect)(struct bus_back *b, struct bus_device *d);
    /* Words NAME=VALUE, with spaces between them. */
    void (*count)(const struct bus_device *d, char *text, size_t len);
};

/*
 * Adopts the devices that a last life kept records of. Their guests wait: when they have
 * been served, bus_back_watch does the rest.
 */
void bus_back_open(struct bus_back *b, const struct bus_kind *kind, void *devices,
                   const struct bus_keep *keep, struct store_client *store);

/* All that bus_back_open has found are served: nobody waits for what the store has to say. */
bool bus_back_has_adopted(const struct bus_back *b);

/* Once: watches the store for devices, and the front ends of those that were adopted. 0 or an
 * error. */
int bus_back_watch(struct bus_back *b);

/* A watch fired; then bus_back_settle does what it asks for. */
void bus_back_event(struct bus_back *b, const struct store_event *event);
void bus_back_settle(struct bus_back *b);

/* A front end that breaks the protocol loses its device, with one line. */
void bus_back_give_up(struct bus_back *b, struct bus_device *d, const char *why);

/* The device with this index, used or not. */
struct bus_device *bus_back_at(const struct bus_back *b, uint32_t index);

/* "vbd 51712 of domain 2: " and the rest, to the log. */
void bus_back_log(const struct bus_back *b, const struct bus_device *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A decimal number that fits 32 bits; `absent` if there is no such node. False: it is neither. */
bool bus_number(const struct store_want *want, uint32_t absent, uint32_t *number);

#define BUS_BACK_PATH "backend/%s/%u/%u" /* kind, guest, number */

#endif
