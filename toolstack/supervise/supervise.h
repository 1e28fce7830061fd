/*
 * The life cycle of all domains: who starts when, what happens when one dies,
 * and when the host is done. Whether a domain runs is asked of the core each
 * time; an entry only knows what the core cannot: which step comes next.
 *
 * Nothing here sleeps. supervise_step moves every entry as far as it can and
 * says until when it wants to be called again; any event may be the one that
 * lets it go on.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>
#include <build/nodes.h>
#include <config/config.h>
#include <store_client.h>

#include "budget.h"
#include "evidence.h"
#include "handover.h"
#include "watch.h"

enum entry_phase {
    ENTRY_STOPPED, /* no domain: not started, or gone */
    ENTRY_FAILED,  /* could not be started */
    ENTRY_WAITING, /* for its backends, or for the pause before a restart */
    ENTRY_OPENING, /* built and paused: its backends are opening its devices */
    ENTRY_LIVE,    /* started; runs, is paused, or lies dead and is preserved */
    ENTRY_CLOSING, /* its backends are letting go; then it is destroyed */
};

/* What follows CLOSING. */
enum entry_next { NEXT_STOP, NEXT_RESTART, NEXT_FAIL };

/* Whether it was asked to power off, for the host's sake, and listens to that. */
enum entry_asked { ENTRY_NOT_ASKED, ENTRY_ASKED, ENTRY_DEAF };

/* When a life in place got where, ns of clock_now; what follows is in its life page. */
struct renewal {
    uint64_t died; /* by its own word; 0: there is nothing to tell */
    uint64_t noticed;
    uint64_t reset;
    uint64_t written; /* its image, and what it is told */
    uint64_t told;    /* the store, of it */
};

struct entry {
    struct domain_config *config;
    enum entry_phase phase;
    enum entry_next next;
    enum entry_asked asked;
    domid_t domid;        /* DOMID_INVALID: none */
    domid_t *backends;    /* of each device that is served to it, while it has an id */
    domid_t attached;     /* who had the console before a restart; DOMID_INVALID: nobody */
    uint64_t deadline;    /* of CLOSING; not before this of WAITING */
    uint64_t limit;       /* of OPENING, or of WAITING for a backend that runs; 0: none */
    uint64_t started;     /* when it was last unpaused */
    struct budget budget; /* of restarts in place */
    struct watch watch;
    struct evidence *evidence; /* of its last crash; NULL: there was none */
    unsigned lives;            /* begun so far */
    struct renewal renewal;
    struct handover handover; /* of a Linux driver domain */
    uint64_t again;   /* LIVE but dead for now: when it starts again in place; 0: it is not */
    char *image;      /* in place of its file's kernel, since an upgrade; NULL: that itself */
    char *last_image; /* on trial: what `image` was before */
    uint64_t trial; /* until when its backends must be up, or the last image is back; 0: no trial */
    bool service;   /* control, store or console: started without a file */
    bool wanted;    /* was started at least once, or tried */
    bool ready;     /* LIVE and, for a driver domain, its backends may be used */
    bool dead;      /* LIVE but stopped for good, preserved */
    bool parked;    /* dead, but who it served waits for `restart` */
    bool complained; /* about its backend, once per start */
};

struct supervise {
    struct store_client *store;
    const struct config_root *root;
    domid_t store_domid;
    domid_t console_domid;
    struct entry **entries;
    size_t count;
    unsigned lost;       /* domains that should have started but whose files are unusable */
    bool failed;         /* a domain could not be started, or crashed */
    bool leaving;        /* the host is going down: nothing is started again */
    bool faults_allowed; /* host.xml's word: domains of ours may be told to fail */
    bool still;          /* the store had no news since the last look: who was not ready is not */
    /* The core's word on all of them, new for each look at the table; NULL between looks. */
    struct xen_domctl_getdomaininfo *infos;
    size_t info_count;
};

/* Printed by whoever has the terminal; a line without its newline. */
void supervise_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Until it is off again, but for a tenth of a second at most, what is said may wait:
 * guests do, and a UART takes longer for a line than a domain to begin.
 */
void supervise_hurry(bool on);

/* Adds a domain, stopped. The config stays the caller's. NULL: no memory. */
struct entry *supervise_add(struct supervise *s, struct domain_config *config);
void supervise_remove(struct supervise *s, struct entry *entry);
void supervise_fini(struct supervise *s);

/* By name or by number of a domain that exists. NULL: there is none. */
struct entry *supervise_find(const struct supervise *s, const char *name);
struct entry *supervise_of_config(const struct supervise *s, const struct domain_config *config);

/* An entry has a domain, or is about to get one. */
bool entry_is_active(const struct entry *e);

/* A guest: neither a driver domain nor a service nor one of the project's own images. */
bool entry_is_guest(const struct entry *e);

/* When an entry has to be looked at although nothing happened; ns of clock_now. */
uint64_t entry_due(const struct entry *e);

/* Asks for a stopped domain to be started; for any domain to be ended, at once. */
void supervise_start(struct supervise *s, struct entry *entry);
void supervise_stop(struct supervise *s, struct entry *entry, enum entry_next next);

/*
 * A driver domain of ours, the store or the console, alive or dead, starts anew in
 * place: whom it serves sees a pause. False after saying why it could not: then it
 * is parked. On demand it has a new budget of restarts, after its death what is
 * left of the old one: it starts at once, or later, or is parked.
 */
bool renew_is_possible(const struct entry *e);
bool renew(struct supervise *s, struct entry *e);
bool renew_on_demand(struct supervise *s, struct entry *e);
void renew_after_death(struct supervise *s, struct entry *e);

/*
 * A driver domain of ours that lives goes on with another image of the bundle, in
 * place. False after saying why not: it lacks what a front end uses, or could not
 * begin. Whether it comes up shows later; else the last image is back.
 */
bool upgrade(struct supervise *s, struct entry *e, const char *image);

/* It is on trial from now on. */
void upgrade_try(struct entry *e);

/* The end of a trial: why it failed, or NULL. */
void upgrade_end(struct supervise *s, struct entry *e, const char *why);

/* The next start is from its file's kernel again. */
void upgrade_forget(struct entry *e);
const char *entry_image(const struct entry *e);

/* It serves again: says how long that took, and where the time went. */
void renew_report(struct entry *e);

/* Moves everything on; when (ns of clock_now) it wants to be called again at the latest. */
uint64_t supervise_step(struct supervise *s);

/* No guest is left and none will come back: a host without a terminal is done. */
bool supervise_is_over(const struct supervise *s);

/* ---- steps of one entry; true: it moved ------------------------------------------------------ */

bool start_step(struct supervise *s, struct entry *e);   /* WAITING */
bool open_step(struct supervise *s, struct entry *e);    /* OPENING */
bool live_step(struct supervise *s, struct entry *e);    /* LIVE */
bool closing_step(struct supervise *s, struct entry *e); /* CLOSING */

/* What the builder is told of an entry, and the command line of its kernel (till the next call). */
struct build_order entry_order(const struct supervise *s, const struct entry *e);
const char *entry_command_line(const struct supervise *s, const struct domain_config *c);

/* It runs from now on; false after saying why not. */
bool entry_unpause(struct supervise *s, struct entry *e);

/* Watches its life that begins, if its file wants it; negative after saying why not. */
int entry_open_watch(struct supervise *s, struct entry *e, evtchn_port_t port);

/* Says what is wrong with an entry's file, and that it could not be started. */
void entry_complain(struct supervise *s, const struct entry *e, unsigned line, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/* Watches what backends say of an entry's devices, and what it says of itself as one. */
void entry_watch(struct supervise *s, const struct entry *e, bool on);

/* Whoever is attached to the console of `from` is attached to that of `to` from now on. */
void console_move(domid_t from, domid_t to);

/* The directory of the index-th served device at its backend; returns path. */
const char *entry_backend_path(const struct entry *e, size_t index, char path[NODES_PATH_MAX]);

/* Whether the backend of the index-th served device is the one it was opened with, and lives. */
bool backend_is_live(const struct supervise *s, const struct entry *e, size_t index);

/* The core's word on a domain; 0 or -ESRCH. */
int domain_info(domid_t domid, struct xen_domctl_getdomaininfo *info);

/* Of it the XEN_DOMINF_* flags, or -ESRCH. */
int64_t domain_flags(domid_t domid);

/* The same, as it was when this look at the table began, unless that has been forgotten since. */
int64_t entry_flags(const struct supervise *s, const struct entry *e);
void supervise_unlist(struct supervise *s);

/* XEN_DOMCTL_pausedomain, _unpausedomain, or _sendtrigger for an NMI. 0 or the core's error. */
int domain_command(domid_t domid, uint32_t command);

#endif
