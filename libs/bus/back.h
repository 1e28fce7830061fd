/* What the files of a back end's bus tell each other. */
#ifndef BACK_H
#define BACK_H

#include "bus_back.h"

static inline bool bus_is_connected(unsigned state)
{
    return state == XenbusStateConnected || state == XenbusStateReconfigured;
}

/* The device, made if it is not there; NULL: there is no memory, or it was made just now. */
struct bus_device *bus_device_found(struct bus_back *b, domid_t guest, uint32_t number);

/* The nodes of a front end that may change. Their first events come at once: nothing is missed. */
void bus_front_watch(struct bus_back *b, const struct bus_device *d);

void bus_state_write(struct bus_back *b, struct bus_device *d, unsigned state);

/* Serves its front end from now on, or closes it. An adopted one's state stays as it is. */
void bus_connect(struct bus_back *b, struct bus_device *d, bool adopt);

/* adopt.c: a last life served it, and its front end's state is `front`. */
void bus_inherit(struct bus_back *b, struct bus_device *d, unsigned front);

#endif
