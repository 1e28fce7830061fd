/*
 * Whether a domain of ours comes back to its main loop. It counts up a word there;
 * if that has stood still for half of its time, it is asked, by an event, to count.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event.h>

enum watch_state {
    WATCH_OFF,
    WATCH_QUIET,  /* it counted, or has not been asked yet */
    WATCH_ASKED,  /* and has not answered yet */
    WATCH_STRUCK, /* it hangs: it got an NMI, of which it dies if anything in it still works */
};

struct watch {
    enum watch_state state;
    evtchn_port_t port; /* ours, bound to the one where it is asked; 0: none */
    uint64_t half;      /* ns: of the time that it may take; a look each */
    uint64_t due;       /* of the next look */
    uint32_t beat;      /* the count at the last one */
    uint64_t asked;     /* when; */
    uint64_t ran;       /* and how long it had had the CPU by then */
};

/* Of a built domain: its port for this life, or 0 if it is not watched. Negative: no port left. */
int watch_open(struct watch *w, domid_t domid, evtchn_port_t port, unsigned ms)
    __attribute__((warn_unused_result));
void watch_close(struct watch *w);

/* It runs from now on. */
void watch_begin(struct watch *w, uint64_t now);

/*
 * A look, if it is time; flags: XEN_DOMINF_* of the domain, which lives. True: it
 * hangs and even the NMI has not ended it.
 */
bool watch_look(struct watch *w, domid_t domid, uint64_t flags, uint64_t now);

#endif
