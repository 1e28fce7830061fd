/* Inside the server: what it keeps, and how its files use each other. */
#ifndef STORE_SERVER_INSIDE_H
#define STORE_SERVER_INSIDE_H

#include "map.h"
#include "store_path.h"
#include "store_server.h"
#include "store_wire.h"

/* Permission bits. */
#define PERM_READ  1u
#define PERM_WRITE 2u
#define PERM_OWNER 4u

/* No node has more children than fit; nobody may list more permissions. */
#define CHILDREN_MAX (1u << 20)
#define PERMS_MAX    64u

/*
 * What a node holds at one moment. Never changed once it stands in the tree, but
 * replaced: a transaction keeps what it saw by a reference.
 */
struct record {
    unsigned refs;
    unsigned perm_count;
    uint32_t value_len;
    uint32_t children_len; /* names of the children, each with its NUL */
    uint64_t generation;
    char *value; /* both behind perms */
    char *children;
    struct store_perm perms[];
};

/* How a changed node's watches fire: not, those on the node only, or those above it too. */
enum fire { FIRE_NONE, FIRE_EXACT, FIRE_ALL };

/* A node of the tree; in a transaction's map, what it saw and made of one. */
struct node {
    struct map_entry entry;     /* by path */
    struct record *now;         /* in the tree never NULL; in a transaction NULL: absent */
    struct record *before;      /* transactions: as first seen */
    enum fire fire;             /* transactions: FIRE_NONE may still be changed */
    bool changed;               /* transactions */
    struct store_domain *payer; /* owner, or the transaction's domain */
    size_t cost;                /* charged to the payer */
    struct node *owned_next;    /* tree: the owner's other nodes */
    struct node **owned_link;
    char path[];
};

struct tx {
    struct tx *next;
    uint32_t id;
    bool failed;      /* a request stopped half-way: can only be given up */
    unsigned created; /* nodes in it that the tree has not */
    struct map nodes;
};

struct watch {
    struct watch *next_here;   /* on the same path */
    struct watch *next_domain; /* of the same domain */
    struct store_domain *domain;
    struct watch_path *at;
    size_t skip;         /* bytes of each path that a relative watch does not show */
    struct event *first; /* its own queued events, */
    struct event *last;  /* in order */
    unsigned queued;
    bool overrun; /* events were dropped: one for the watch itself is due */
    size_t cost;
    char token[];
};

struct watch_path {
    struct map_entry entry;
    struct watch *first;
    char path[];
};

struct event {
    struct event *next;      /* of the domain */
    struct event *next_same; /* of the same watch */
    struct watch *watch;     /* NULL: it was removed meanwhile */
    size_t cost;
    size_t len;
    char path[];
};

struct store_domain {
    struct store_domain *next;
    domid_t domid;
    domid_t target; /* whose rights it has besides; DOMID_INVALID */
    bool introduced;
    bool privileged;
    bool serves; /* others: what it keeps grows with their number */
    unsigned nodes;
    struct node *owned;
    size_t bytes;
    unsigned watch_count;
    struct watch *watches;
    unsigned overruns; /* watches with dropped events */
    unsigned tx_count;
    uint32_t tx_last;
    struct tx *transactions;
    unsigned event_count;
    struct event *event_first;
    struct event *event_last;
};

struct store_server {
    struct store_limits limits;
    struct map nodes;
    struct map watch_paths;
    struct store_domain *domains;
    size_t bytes;
    uint64_t generation;
    bool untidy; /* a domain may be there to trim */
};

/* ---- domain.c: who is there, and what is kept for them --------------------------------------- */

/* Also one that is not introduced but owns nodes; made if need be. NULL: no memory. */
struct store_domain *domain_get(struct store_server *s, domid_t domid);

/*
 * Frees those that are not introduced and own nothing: between requests only, so
 * that nobody holds a pointer to one.
 */
void domain_trim(struct store_server *s);

/* How many times the usual share of nodes, watches and bytes it may have. */
static inline unsigned domain_share(const struct store_domain *d)
{
    return d->serves ? STORE_SERVES_SHARE : 1u;
}

/* -XEN_ENOSPC if `bytes` more for `d`, on behalf of `by`, are too many. */
int domain_check(const struct store_server *s, const struct store_domain *by,
                 const struct store_domain *d, size_t bytes);
void domain_charge(struct store_server *s, struct store_domain *d, size_t bytes);
void domain_credit(struct store_server *s, struct store_domain *d, size_t bytes);

/* ---- record.c -------------------------------------------------------------------------------- */

/* A list in two pieces. */
struct names {
    const char *a;
    size_t a_len;
    const char *b;
    size_t b_len;
};

/* NULL: no memory. */
struct record *record_make(struct store_server *s, const struct store_perm *perms, unsigned count,
                           const char *value, size_t value_len, struct names children);
struct record *record_hold(struct record *r);
void record_drop(struct record *r);
size_t record_cost(const struct record *r);

/* The names without one of them; a_len + b_len stays the same if it is not there. */
struct names record_names_without(const struct record *r, const char *name);

/* PERM_* bits that a domain has. */
unsigned record_rights(const struct record *r, const struct store_domain *d);

/* ---- view.c: the tree as a request sees it, through its transaction or not
 * ----------------------- */

struct view {
    struct store_server *s;
    struct store_domain *d;
    struct tx *tx; /* or NULL */
};

/* 0, -XEN_ENOENT, or a limit. The record is the view's: hold it to keep it. */
int view_find(const struct view *v, const char *path, size_t len, struct record **record);

/* A change that can no longer fail. */
struct change {
    struct node *node;
    struct record *record; /* NULL: remove */
    struct store_domain *owner;
    enum fire fire;
    bool fresh; /* the node is not in the tree yet */
};

/* Takes over the reference to the record, also when it fails. */
int view_prepare(const struct view *v, const char *path, size_t len, struct record *record,
                 enum fire fire, struct change *change);
void view_apply(const struct view *v, const struct change *change);
void view_cancel(const struct change *change);

/* A node of the tree, new or not, with its first content: 0, or no memory. Takes over the
 * reference.
 */
int node_add(struct store_server *s, const char *path, size_t len, struct record *record);

/* A node's new content in the tree itself; takes over the reference. owner is that of the record.
 */
void node_set(struct store_server *s, struct node *n, struct record *record,
              struct store_domain *owner);
void node_remove(struct store_server *s, struct node *n);
struct node *node_find(const struct store_server *s, const char *path, size_t len);

/* ---- node.c: the requests about nodes
 * ------------------------------------------------------------ */

/* The record if the domain has all bits of `want`. */
int node_get(const struct view *v, const struct store_path *path, unsigned want,
             struct record **record);
int node_write(const struct view *v, const struct store_path *path, const char *value, size_t len);
int node_mkdir(const struct view *v, const struct store_path *path);
int node_rm(const struct view *v, struct store_path *path);
int node_set_perms(const struct view *v, const struct store_path *path,
                   const struct store_perm *perms, unsigned count);

/* ---- tx.c
 * ---------------------------------------------------------------------------------------- */

struct tx *tx_find(const struct store_domain *d, uint32_t id);
/* Without a look at limits; NULL: no memory. */
struct tx *tx_make(struct store_server *s, struct store_domain *d, uint32_t id);
int tx_start(struct store_server *s, struct store_domain *d, uint32_t *id);
int tx_end(struct store_server *s, struct store_domain *d, struct tx *tx, bool commit);
void tx_drop_all(struct store_server *s, struct store_domain *d);

/* Notes what a transaction has seen of a path and made of it, in records of the entry's own; NULL:
 * no memory. */
struct node *tx_node_add(struct store_server *s, struct store_domain *d, struct tx *tx,
                         const char *path, size_t len, struct record *before, struct record *now);

/* What an entry of a transaction costs as it is now. */
size_t tx_node_cost(const struct node *n);

/* ---- watch.c
 * ------------------------------------------------------------------------------------- */

/* Every event of a watch must fit into a message. */
#define WATCH_TOKEN_MAX (STORE_PAYLOAD_MAX - STORE_PATH_MAX - 2u)

/* Registers it without a look at limits; NULL: no memory. skip as in struct watch. */
struct watch *watch_make(struct store_server *s, struct store_domain *d,
                         const struct store_path *path, size_t skip, const char *token);

/* Queues what the watch would show; watch may be NULL. False: no memory. */
bool event_add(struct store_server *s, struct store_domain *d, struct watch *w, const char *path,
               size_t len);

int watch_add(struct store_server *s, struct store_domain *d, const char *name, const char *token);
int watch_remove(struct store_server *s, struct store_domain *d, const char *name,
                 const char *token);
void watch_drop_all(struct store_server *s, struct store_domain *d);

/* A node changed; now or before may be NULL. */
void watch_fire(struct store_server *s, const char *path, size_t len, const struct record *now,
                const struct record *before, enum fire fire);
void watch_fire_special(struct store_server *s, const char *name);

#endif
