/*
 * Waiting for events: event channels and device interrupts, as small numbers
 * taken one at a time. There are no callbacks: a program's main loop takes the
 * next port and decides.
 *
 * A domain never runs with interrupts on: it waits in one call of the core's,
 * which sends what it has to tell its peers as well.
 *
 * A port is unmasked by event_open and stays so; taking it clears its pending
 * bit first, so an event that arrives while it is handled is seen again.
 */
#ifndef RT_EVENT_H
#define RT_EVENT_H

#include <stdint.h>

#include <abi/event.h>

/* No event; no deadline. */
#define EVENT_NONE    0u
#define EVENT_FOREVER UINT64_MAX

/* Starts (and ends) that event_next reports a bound port. */
void event_open(evtchn_port_t port);
void event_shut(evtchn_port_t port);

/* The next pending port, in turn so that no port starves another; EVENT_NONE if none. */
evtchn_port_t event_next(void);

/* As event_next, but sleeps until there is one or time_now() reaches the deadline (ns). */
evtchn_port_t event_wait(uint64_t deadline);

/*
 * As event_wait, but for one port: others stay pending for event_next. For code
 * that waits for its own answer inside a program that has other ports too.
 */
evtchn_port_t event_wait_port(evtchn_port_t port, uint64_t deadline);

/* The same for either of two ports; which it was. */
evtchn_port_t event_wait_either(evtchn_port_t port, evtchn_port_t other, uint64_t deadline);

/*
 * Tells the peer of a port. It hears of it when this domain waits, or flushes, or
 * has more than four to tell, or looks for events some times without waiting: what
 * wakes several costs one call.
 */
void event_notify(evtchn_port_t port);

/* The peers hear of it now: for one who goes on working. */
void event_flush(void);

/*
 * Says that this domain does not hang: for waits outside the main loop that have a
 * deadline of their own, and for long work that has an end. All above but event_notify say so, too.
 */
void event_alive(void);

/*
 * A device interrupt of this domain, as a port that is open: the message address
 * and data to put into an MSI-X entry. The port, or a negative error.
 */
int irq_alloc(uint64_t *address, uint32_t *data);

#endif
