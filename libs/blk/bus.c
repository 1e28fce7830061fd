/* The table of both ends' states. */
#include "blk_bus.h"

#define STATES (XenbusStateClosed + 1)

/* Row: our own state. Column: the front end's. */
static const unsigned char steps[STATES][STATES] = {
    /* A fresh device is offered, whatever the front end says: it cannot have used it. */
    [XenbusStateInitialising] = {BLK_STEP_OFFER, BLK_STEP_OFFER, BLK_STEP_OFFER, BLK_STEP_OFFER,
                                 BLK_STEP_OFFER, BLK_STEP_OFFER, BLK_STEP_OFFER},
    [XenbusStateInitWait] = {[XenbusStateInitialised] = BLK_STEP_CONNECT,
                             [XenbusStateConnected] = BLK_STEP_CONNECT,
                             [XenbusStateClosing] = BLK_STEP_CLOSING,
                             [XenbusStateClosed] = BLK_STEP_CLOSE},
    /* A front end that starts anew without closing (a reset) is closed first. */
    [XenbusStateConnected] = {[XenbusStateInitialising] = BLK_STEP_CLOSE,
                              [XenbusStateClosing] = BLK_STEP_CLOSING,
                              [XenbusStateClosed] = BLK_STEP_CLOSE},
    [XenbusStateClosing] = {[XenbusStateUnknown] = BLK_STEP_CLOSE,
                            [XenbusStateInitialising] = BLK_STEP_CLOSE,
                            [XenbusStateClosed] = BLK_STEP_CLOSE},
    [XenbusStateClosed] = {[XenbusStateInitialising] = BLK_STEP_OFFER},
};

enum blk_step blk_bus_step(unsigned own, unsigned front, bool online)
{
    if (own >= STATES)
        own = XenbusStateUnknown;
    if (front >= STATES)
        front = XenbusStateUnknown;
    /* The toolstack takes the device away: its guest may be dead and never answer. */
    if (!online)
        return own == XenbusStateClosed ? BLK_STEP_NONE : BLK_STEP_CLOSE;
    return steps[own][front];
}
