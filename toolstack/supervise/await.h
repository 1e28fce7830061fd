/* Waiting for the store, by the one who has to bring it back if it dies or hangs meanwhile. */
#ifndef AWAIT_H
#define AWAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervise.h"

struct await {
    struct supervise *supervise;
    struct entry *entry;  /* the store */
    evtchn_port_t deaths; /* an event there: some domain died */
    bool heard;           /* and there was one; the waiter takes it back */
};

/* Sleeps until the port had an event: true. False at the deadline, or if the store is dead for
 * good. */
bool await_store(struct await *a, evtchn_port_t port, uint64_t deadline);

#endif
