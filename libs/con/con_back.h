/*
 * The back end of one PV console: the page that a guest writes its output to
 * and reads its input from. The guest may be hostile: its indices are claims,
 * and its bytes are only ever copied.
 */
#ifndef CON_BACK_H
#define CON_BACK_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/console.h>
#include <abi/event.h>
#include <abi/grant.h>
#include <ring.h>

struct con_back {
    struct xencons_interface *page; /* address space for it, the caller's */
    domid_t peer;
    evtchn_port_t port; /* our end, 0: not connected */
    grant_handle_t handle;
    struct ring_reader out;
    struct ring_writer in;
};

/*
 * Maps the peer's reserved console grant into `space` (one page of it) and binds
 * its port. A ring that a last life served goes on where that stopped. 0, or an
 * error and in *why what could not be done.
 */
int con_back_connect(struct con_back *b, void *space, domid_t peer, evtchn_port_t remote,
                     const char **why);
void con_back_disconnect(struct con_back *b);

/* The peer's end is still there: it has not died since. */
bool con_back_is_bound(const struct con_back *b);

/*
 * Output of the guest: at most len bytes, how many, or -XEN_EIO for a broken ring.
 * They stay the guest's until they are passed: whoever shows them may die before.
 */
int con_back_look(const struct con_back *b, char *to, size_t len);
void con_back_pass(struct con_back *b, size_t len);

/* Input for it: as many as there is room for, how many, or -XEN_EIO. */
int con_back_put(struct con_back *b, const char *from, size_t len);

#endif
