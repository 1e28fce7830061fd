/* The back end's half of the XenStore handshake: what to do, given where both ends stand. Pure. */
#ifndef BLK_BUS_H
#define BLK_BUS_H

#include <stdbool.h>

#include <abi/store.h>

enum blk_step {
    BLK_STEP_NONE,    /* wait for a change */
    BLK_STEP_OFFER,   /* publish features, then state 2 */
    BLK_STEP_CONNECT, /* map the rings, then state 4 */
    BLK_STEP_CLOSING, /* stop taking requests, state 5 */
    BLK_STEP_CLOSE,   /* when drained: disconnect, then state 6 */
};

/* States as read from the store; what is no state counts as 0 (unknown, or no node). */
enum blk_step blk_bus_step(unsigned own, unsigned front, bool online);

#endif
