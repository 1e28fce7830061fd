/*
 * A client of the store: synchronous requests over a XenStore ring, and watch
 * events that arrive in between, queued until they are asked for.
 *
 * Use: store_open_own (or store_open with a page and port), then requests.
 * Results are zero or positive, or a negative error number: the store's own
 * answer (-XEN_ENOENT, -XEN_EACCES, -XEN_EAGAIN, ...), or -XEN_EIO when the
 * connection is broken, which then stays so.
 *
 * Paths are printf formats. A path that does not begin with '/' is relative to
 * the caller's home, /local/domain/<own id>. tx is 0 (STORE_TX_NONE) or what
 * store_begin gave.
 *
 * A main loop looks like this; the order matters, because a synchronous request
 * may have taken the port's event while it waited for its answer:
 *
 *     for (;;) {
 *         const struct store_event *event;
 *         while ((event = store_event(&store)) != NULL)
 *             ...
 *         evtchn_port_t port = event_wait(deadline);
 *         ...                      nothing to do here for store.port
 *     }
 */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/event.h>
#include <abi/store.h>
#include <ring.h>

#include "store_wire.h"

#define STORE_TX_NONE 0u

/* printf arguments that follow `n` fixed ones. */
#define STORE_FORMAT(n) __attribute__((format(printf, (n), (n) + 1)))
#define STORE_CHECKED   __attribute__((warn_unused_result))

/* A watch fired. path is spelt as the watch was: relative if it was registered so. */
struct store_event {
    struct store_event *next;
    const char *token;
    char path[];
};

/*
 * How somebody waits for the store who has to do something about its death: the
 * control domain.
 */
struct store_sleep {
    /*
     * Sleeps until the port had an event, which is taken: true. False at the
     * deadline, or when the store will not come back: then the connection breaks.
     */
    bool (*until)(evtchn_port_t port, uint64_t deadline);
};

struct store_client {
    const struct store_sleep *sleep; /* NULL: waits like any other; set after store_open */
    struct ring_writer out;
    struct ring_reader in;
    struct xenstore_domain_interface *page;
    evtchn_port_t port;
    uint32_t last_id;
    int broken; /* 0, or the error that every later request gets */
    bool overrun;
    unsigned queued;
    struct store_event *first; /* watch events not yet asked for */
    struct store_event *last;
    struct store_event *given; /* the one the caller looks at */
    uint32_t got;              /* bytes of `message` received so far */
    struct {
        struct xsd_sockmsg header;
        char payload[STORE_PAYLOAD_MAX + 1];
    } message;
};

/* ---- connection ------------------------------------------------------------------------------ */

/* Takes over a mapped ring page and a bound (or allocated) port. The page may be in use already. */
void store_open(struct store_client *c, struct xenstore_domain_interface *page, evtchn_port_t port);

/*
 * The same for a ring and a port that an earlier life of the caller has used: what was
 * under way there and its watches and transactions are gone when the store has said
 * so. `sleep` as in the structure, or NULL.
 */
STORE_CHECKED int store_reopen(struct store_client *c, struct xenstore_domain_interface *page,
                               evtchn_port_t port, const struct store_sleep *sleep);

/* The caller's own ring, from its HVM parameters. */
STORE_CHECKED int store_open_own(struct store_client *c);

/* Frees what is queued and stops listening to the port. The ring stays. */
void store_close(struct store_client *c);

/* ---- nodes ----------------------------------------------------------------------------------- */

/* The value's length; value is NUL-terminated. -XEN_E2BIG if it does not fit with its NUL. */
STORE_CHECKED STORE_FORMAT(5) int store_read(struct store_client *c, uint32_t tx, char *value,
                                             size_t size, const char *path, ...);

/* A decimal number and nothing else, else -XEN_EINVAL. */
STORE_CHECKED STORE_FORMAT(4) int store_read_number(struct store_client *c, uint32_t tx,
                                                    uint64_t *value, const char *path, ...);

/* 1: the node exists and may be read, 0: it does not exist, or an error. */
STORE_CHECKED STORE_FORMAT(3) int store_exists(struct store_client *c, uint32_t tx,
                                               const char *path, ...);

STORE_CHECKED STORE_FORMAT(4) int store_write(struct store_client *c, uint32_t tx,
                                              const char *value, const char *path, ...);
STORE_CHECKED STORE_FORMAT(4) int store_write_number(struct store_client *c, uint32_t tx,
                                                     uint64_t value, const char *path, ...);
STORE_CHECKED STORE_FORMAT(3) int store_mkdir(struct store_client *c, uint32_t tx, const char *path,
                                              ...);

/* With everything below it. */
STORE_CHECKED STORE_FORMAT(3) int store_remove(struct store_client *c, uint32_t tx,
                                               const char *path, ...);

/*
 * Children's names, NUL-separated, into names; how many there are. Walk them with
 * store_next_name. -XEN_E2BIG if they do not fit.
 */
STORE_CHECKED STORE_FORMAT(5) int store_list(struct store_client *c, uint32_t tx, char *names,
                                             size_t size, const char *path, ...);

static inline const char *store_next_name(const char *name)
{
    return name + __builtin_strlen(name) + 1;
}

/* ---- many at once: one round trip, not one per node ------------------------------------------ */

/* A node below `base`, to write. */
struct store_pair {
    const char *path;
    const char *value;
};
STORE_CHECKED STORE_FORMAT(5) int store_write_all(struct store_client *c, uint32_t tx,
                                                  const struct store_pair *pairs, size_t count,
                                                  const char *base, ...);

/* A node below `base`, to read into value[size]; result as that of store_read. */
struct store_want {
    const char *path;
    char *value;
    size_t size;
    int result;
};
/* 0 if every request got an answer (look at each result), else the connection's error. */
STORE_CHECKED STORE_FORMAT(5) int store_read_all(struct store_client *c, uint32_t tx,
                                                 struct store_want *wants, size_t count,
                                                 const char *base, ...);

/* ---- permissions ----------------------------------------------------------------------------- */

STORE_CHECKED STORE_FORMAT(5) int store_set_perms(struct store_client *c, uint32_t tx,
                                                  const struct store_perm *perms, size_t count,
                                                  const char *path, ...);
/* How many there are; -XEN_E2BIG if more than max. */
STORE_CHECKED STORE_FORMAT(5) int store_get_perms(struct store_client *c, uint32_t tx,
                                                  struct store_perm *perms, size_t max,
                                                  const char *path, ...);

/* ---- watches --------------------------------------------------------------------------------- */

/* One event comes at once, then one for each change at or below the path. */
STORE_CHECKED STORE_FORMAT(3) int store_watch(struct store_client *c, const char *token,
                                              const char *path, ...);
STORE_CHECKED STORE_FORMAT(3) int store_unwatch(struct store_client *c, const char *token,
                                                const char *path, ...);

/*
 * The next queued event, NULL if there is none; never sleeps. Valid until the next
 * call. Equal events that nobody has taken yet are one.
 */
const struct store_event *store_event(struct store_client *c);

/* Sleeps until there is one or the deadline (ns of clock_now) passed: NULL; also if broken. */
const struct store_event *store_event_wait(struct store_client *c, uint64_t deadline);

/* True once after events were dropped (more than STORE_EVENTS_MAX queued): look at everything. */
bool store_events_lost(struct store_client *c);
#define STORE_EVENTS_MAX 512u

/* ---- transactions ---------------------------------------------------------------------------- */

/* The transaction's number in *tx. */
STORE_CHECKED int store_begin(struct store_client *c, uint32_t *tx);

/* -XEN_EAGAIN: somebody else changed what was read: begin again. */
STORE_CHECKED int store_end(struct store_client *c, uint32_t tx, bool commit);

/*
 * Runs body in a transaction, again as often as it collides (64 times at most).
 * body returns 0 to commit, or an error, with which everything is given up.
 */
STORE_CHECKED int store_transaction(struct store_client *c,
                                    int (*body)(struct store_client *c, uint32_t tx, void *context),
                                    void *context);

/* ---- the control domain only ----------------------------------------------------------------- */

/* serves: it serves others, and may keep more than a guest. */
STORE_CHECKED int store_introduce(struct store_client *c, domid_t domid, uint64_t gfn,
                                  evtchn_port_t port, bool serves);
STORE_CHECKED int store_release(struct store_client *c, domid_t domid);
STORE_CHECKED int store_is_introduced(struct store_client *c, domid_t domid); /* 1, 0 */

#endif
