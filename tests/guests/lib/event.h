/* The guest's side of event channels: shared info, pending and mask bits, the upcall. */
#ifndef GUEST_EVENT_H
#define GUEST_EVENT_H

#include <abi/event.h>
#include <stdbool.h>

/* Maps the shared info page with every port masked; then asks for upcalls. 0, or an error. */
long event_init(void);
long event_ask_upcall(void);

const volatile struct shared_info *event_shared(void);

bool event_is_pending(evtchn_port_t port);
void event_clear(evtchn_port_t port);
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
long event_send(evtchn_port_t port);

/* Two ports of this guest bound to each other: *first becomes pending when *second is sent to. */
long event_pair(evtchn_port_t *first, evtchn_port_t *second);

/* The port that an upcall brought last (0: none since it was set to 0), and when it came. */
extern volatile evtchn_port_t event_last;
extern volatile uint64_t event_upcall_tsc;

#endif
