/*
 * A Linux driver domain is restarted and its guests keep their devices. Stock
 * back ends cannot pick up what one that died had begun: answers stand in the ring
 * in another order than requests. But they let go of a ring when they have answered
 * all that they took, and take up one that is in use. So the domain is asked to let
 * go, powered off, and made anew under the same id, by which its guests' grants and
 * ports are still good for it.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/xen.h>

struct supervise;
struct entry;

enum handover_state {
    HANDOVER_NONE,
    HANDOVER_ASKED, /* to let go; nothing is lost if it does not */
    HANDOVER_FREE,  /* nobody is at its guests' rings: it powers off, and begins anew */
    HANDOVER_BACK,  /* it runs again, and takes the rings up */
};

struct handover {
    enum handover_state state;
    unsigned asked; /* how often: an answer says which time it is for */
    domid_t domid;  /* FREE: of its next life */
    uint64_t begun; /* ns of clock_now */
    uint64_t limit; /* of ASKED, of the power-off, or of BACK; 0: none */
};

/* What is served by a back end that is not ours: only it can let go. */
bool handover_is_for(const struct supervise *s, const struct entry *e);

/* Asks it. False after saying why not: nothing has changed. */
bool handover_begin(struct supervise *s, struct entry *e);

/* The next step of one that is LIVE, by the core's word on it; true: it moved. */
bool handover_step(struct supervise *s, struct entry *e, int64_t flags);

/* It is gone: one that had let go keeps its id for its next life, whenever that is. */
void handover_stopped(const struct supervise *s, struct entry *e);

/* Its next life is built: its guests' devices are put before it. */
void handover_restore(struct supervise *s, struct entry *e);

/* Its next life runs. */
void handover_started(struct entry *e);

/* When it is to be looked at although nothing happened. */
uint64_t handover_due(const struct entry *e);

#endif
