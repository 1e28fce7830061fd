/*
 * Watches and the events that wait for their domains.
 *
 * A domain that does not take its events loses some, but not the knowledge that
 * something happened: the watch then owes one event for itself.
 */
#include <stdlib.h>
#include <string.h>

#include <store_alloc.h>

#include "server.h"

/* One watch cannot fill its domain's queue alone. */
#define EVENTS_PER_WATCH 64u

/* The path a watch's events are spelt with. */
static struct watch_path *at_find(const struct store_server *s, const char *path, size_t len)
{
    return (struct watch_path *)map_find(&s->watch_paths, path, len);
}

static void at_trim(struct store_server *s, struct watch_path *at)
{
    if (at->first)
        return;
    map_remove(&s->watch_paths, &at->entry);
    free(at);
}

static struct watch_path *at_get(struct store_server *s, const char *path, size_t len)
{
    struct watch_path *at = at_find(s, path, len);

    if (at)
        return at;
    at = store_alloc(sizeof(*at) + len + 1);
    if (!at)
        return NULL;
    memcpy(at->path, path, len);
    at->entry.key = at->path;
    at->entry.len = len;
    map_insert(&s->watch_paths, &at->entry);
    return at;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void overrun(struct watch *w)
{
    if (!w->overrun)
        w->domain->overruns++;
    w->overrun = true;
}

bool event_add(struct store_server *s, struct store_domain *d, struct watch *w, const char *path,
               size_t len)
{
    size_t cost = sizeof(struct event) + len + 1;
    struct event *e = store_alloc(cost);

    if (!e)
        return false;
    *e = (struct event){.watch = w, .cost = cost, .len = len};
    memcpy(e->path, path, len);
    e->path[len] = 0;
    if (d->event_last)
        d->event_last->next = e;
    else
        d->event_first = e;
    d->event_last = e;
    d->event_count++;
    domain_charge(s, d, cost);
    if (!w)
        return true;
    if (w->last)
        w->last->next_same = e;
    else
        w->first = e;
    w->last = e;
    w->queued++;
    return true;
}

/* `path` is absolute or special; what a relative watch does not show is cut off. */
static void event_queue(struct store_server *s, struct watch *w, const char *path, size_t len)
{
    struct store_domain *d = w->domain;

    path += w->skip;
    len -= w->skip;
    for (const struct event *e = w->first; e; e = e->next_same)
        if (e->len == len && memcmp(e->path, path, len) == 0)
            return;

    size_t cost = sizeof(struct event) + len + 1;
    bool full = w->queued >= EVENTS_PER_WATCH || d->event_count >= s->limits.events;

    if ((full && !d->privileged) || domain_check(s, d, d, cost) != 0 ||
        !event_add(s, d, w, path, len))
        overrun(w);
}

/*
 * The oldest event leaves the queue, NULL if there is none. Of its watch, if that
 * still exists, it is the oldest too.
 */
static struct event *event_take(struct store_server *s, struct store_domain *d)
{
    struct event *e = d->event_first;

    if (!e)
        return NULL;
    d->event_first = e->next;
    if (!e->next)
        d->event_last = NULL;
    d->event_count--;
    domain_credit(s, d, e->cost);

    struct watch *w = e->watch;

    if (w) {
        w->first = e->next_same;
        if (!w->first)
            w->last = NULL;
        w->queued--;
    }
    return e;
}

/* Something was dropped and the queue is empty by now: the watch's own path stands for all. */
static bool overrun_settle(struct store_server *s, struct store_domain *d)
{
    for (struct watch *w = d->watches; w; w = w->next_domain) {
        if (!w->overrun)
            continue;
        w->overrun = false;
        d->overruns--;
        event_queue(s, w, w->at->path, w->at->entry.len);
        return !w->overrun;
    }
    return false;
}

bool server_has_event(const struct store_domain *d)
{
    return d->event_first || d->overruns > 0;
}

bool server_event(struct store_server *s, struct store_domain *d, struct server_message *event)
{
    for (;;) {
        struct event *e = d->event_first || overrun_settle(s, d) ? event_take(s, d) : NULL;

        if (!e)
            return false;

        size_t token_len = e->watch ? strlen(e->watch->token) + 1 : 0;

        if (e->watch) {
            memcpy(event->payload, e->path, e->len + 1);
            memcpy(event->payload + e->len + 1, e->watch->token, token_len);
            event->header =
                (struct xsd_sockmsg){XS_WATCH_EVENT, 0, 0, (uint32_t)(e->len + 1 + token_len)};
        }
        free(e);
        if (token_len > 0)
            return true;
    }
}

/* ---- registration ---------------------------------------------------------------------------- */

/* Where a watch's name points to, and how much of it is the domain's home. */
static int resolve(const struct store_domain *d, const char *name, struct store_path *path,
                   size_t *skip)
{
    char home[STORE_HOME_SIZE];

    *skip = name[0] == '/' || name[0] == '@' ? 0 : store_home(home, d->domid) + 1;
    if (name[0] != '@')
        return store_path_make(path, name, d->domid);
    if (!store_path_is_special(name))
        return -XEN_EINVAL;
    path->len = strlen(name);
    memcpy(path->text, name, path->len + 1);
    return 0;
}

static struct watch **find(const struct store_server *s, struct store_domain *d,
                           const struct store_path *path, const char *token)
{
    const struct watch_path *at = at_find(s, path->text, path->len);
    struct watch **link = &d->watches;

    while (*link && ((*link)->at != at || strcmp((*link)->token, token) != 0))
        link = &(*link)->next_domain;
    return link;
}

static size_t watch_cost(const struct store_path *path, const char *token)
{
    return sizeof(struct watch) + strlen(token) + 1 + sizeof(struct watch_path) + path->len + 1;
}

struct watch *watch_make(struct store_server *s, struct store_domain *d,
                         const struct store_path *path, size_t skip, const char *token)
{
    size_t token_len = strlen(token);
    struct watch *w = store_alloc(sizeof(*w) + token_len + 1);
    struct watch_path *at = w ? at_get(s, path->text, path->len) : NULL;

    if (!at) {
        free(w);
        return NULL;
    }
    memcpy(w->token, token, token_len + 1);
    w->domain = d;
    w->at = at;
    w->skip = skip;
    w->cost = watch_cost(path, token);
    w->next_here = at->first;
    at->first = w;
    w->next_domain = d->watches;
    d->watches = w;
    d->watch_count++;
    domain_charge(s, d, w->cost);
    return w;
}

int watch_add(struct store_server *s, struct store_domain *d, const char *name, const char *token)
{
    struct store_path path;
    size_t skip;
    int error = resolve(d, name, &path, &skip);

    if (error != 0)
        return error;
    if (strlen(token) > WATCH_TOKEN_MAX)
        return -XEN_EINVAL;
    if (*find(s, d, &path, token))
        return -XEN_EEXIST;
    if (!d->privileged && d->watch_count >= s->limits.watches * domain_share(d))
        return -XEN_ENOSPC;
    error = domain_check(s, d, d, watch_cost(&path, token));
    if (error != 0)
        return error;

    struct watch *w = watch_make(s, d, &path, skip, token);

    if (!w)
        return -XEN_ENOMEM;
    event_queue(s, w, path.text, path.len);
    return 0;
}

static void drop(struct store_server *s, struct store_domain *d, struct watch **link)
{
    struct watch *w = *link;
    struct watch **here = &w->at->first;

    *link = w->next_domain;
    while (*here != w)
        here = &(*here)->next_here;
    *here = w->next_here;
    at_trim(s, w->at);
    for (struct event *e = w->first; e; e = e->next_same)
        e->watch = NULL;
    d->overruns -= w->overrun;
    d->watch_count--;
    domain_credit(s, d, w->cost);
    free(w);
}

int watch_remove(struct store_server *s, struct store_domain *d, const char *name,
                 const char *token)
{
    struct store_path path;
    size_t skip;
    int error = resolve(d, name, &path, &skip);

    if (error != 0)
        return error;

    struct watch **link = find(s, d, &path, token);

    if (!*link)
        return -XEN_ENOENT;
    drop(s, d, link);
    return 0;
}

void watch_drop_all(struct store_server *s, struct store_domain *d)
{
    while (d->watches)
        drop(s, d, &d->watches);
    while (d->event_first)
        free(event_take(s, d));
}

/* ---- firing ---------------------------------------------------------------------------------- */

static bool may_see(const struct record *r, const struct store_domain *d)
{
    return r && (record_rights(r, d) & PERM_READ);
}

static void fire_at(struct store_server *s, const struct watch_path *at, const char *path,
                    size_t len, const struct record *const records[3])
{
    for (struct watch *w = at ? at->first : NULL; w; w = w->next_here)
        if (may_see(records[0], w->domain) || may_see(records[1], w->domain) ||
            may_see(records[2], w->domain))
            event_queue(s, w, path, len);
}

/* Seen by those who can read the node, could before, or can read its parent. */
void watch_fire(struct store_server *s, const char *path, size_t len, const struct record *now,
                const struct record *before, enum fire fire)
{
    size_t above = store_path_parent(path, len);
    const struct node *parent = above ? node_find(s, path, above) : NULL;
    const struct record *const records[3] = {now, before, parent ? parent->now : NULL};

    if (fire == FIRE_NONE)
        return;
    fire_at(s, at_find(s, path, len), path, len, records);
    for (; fire == FIRE_ALL && above > 0; above = store_path_parent(path, above))
        fire_at(s, at_find(s, path, above), path, len, records);
}

void watch_fire_special(struct store_server *s, const char *name)
{
    size_t len = strlen(name);
    const struct watch_path *at = at_find(s, name, len);

    for (struct watch *w = at ? at->first : NULL; w; w = w->next_here)
        if (w->domain->privileged)
            event_queue(s, w, name, len);
}
