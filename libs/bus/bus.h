/* The back end's half of the XenStore handshake: what to do, given where both ends stand. Pure. */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>

#include <abi/store.h>

enum bus_step {
    BUS_STEP_NONE,        /* wait for a change */
    BUS_STEP_OFFER,       /* publish features, then state 2 */
    BUS_STEP_CONNECT,     /* map the rings, then state 4 */
    BUS_STEP_RECONFIGURE, /* read again what may change while connected, then state 8 */
    BUS_STEP_RESUME,      /* state 4 */
    BUS_STEP_CLOSING,     /* stop taking requests, state 5 */
    BUS_STEP_CLOSE,       /* when drained: disconnect, then state 6 */
};

/* States as read from the store; what is no state counts as 0 (unknown, or no node). */
enum bus_step bus_next(unsigned own, unsigned front, bool online);

#endif
