/* The table of both ends' states. */
#include "bus.h"

#define STATES (XenbusStateReconfigured + 1)

/* Row: our own state. Column: the front end's. */
static const unsigned char steps[STATES][STATES] = {
    /* A fresh device is offered, whatever the front end says: it cannot have used it. */
    [XenbusStateInitialising] = {BUS_STEP_OFFER, BUS_STEP_OFFER, BUS_STEP_OFFER, BUS_STEP_OFFER,
                                 BUS_STEP_OFFER, BUS_STEP_OFFER, BUS_STEP_OFFER, BUS_STEP_OFFER,
                                 BUS_STEP_OFFER},
    [XenbusStateInitWait] = {[XenbusStateInitialised] = BUS_STEP_CONNECT,
                             [XenbusStateConnected] = BUS_STEP_CONNECT,
                             [XenbusStateClosing] = BUS_STEP_CLOSING,
                             [XenbusStateClosed] = BUS_STEP_CLOSE},
    /* A front end that starts anew without closing (a reset) is closed first. */
    [XenbusStateConnected] = {[XenbusStateInitialising] = BUS_STEP_CLOSE,
                              [XenbusStateClosing] = BUS_STEP_CLOSING,
                              [XenbusStateClosed] = BUS_STEP_CLOSE,
                              [XenbusStateReconfiguring] = BUS_STEP_RECONFIGURE},
    [XenbusStateReconfigured] = {[XenbusStateInitialising] = BUS_STEP_CLOSE,
                                 [XenbusStateConnected] = BUS_STEP_RESUME,
                                 [XenbusStateClosing] = BUS_STEP_CLOSING,
                                 [XenbusStateClosed] = BUS_STEP_CLOSE},
    [XenbusStateClosing] = {[XenbusStateUnknown] = BUS_STEP_CLOSE,
                            [XenbusStateInitialising] = BUS_STEP_CLOSE,
                            [XenbusStateClosed] = BUS_STEP_CLOSE},
    [XenbusStateClosed] = {[XenbusStateInitialising] = BUS_STEP_OFFER},
};

enum bus_step bus_next(unsigned own, unsigned front, bool online)
{
    if (own >= STATES)
        own = XenbusStateUnknown;
    if (front >= STATES)
        front = XenbusStateUnknown;
    /* The toolstack takes the device away: its guest may be dead and never answer. */
    if (!online)
        return own == XenbusStateClosed ? BUS_STEP_NONE : BUS_STEP_CLOSE;
    return steps[own][front];
}
