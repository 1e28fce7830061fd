/*
 * Items of the journal back into a server. Each length is checked before it is
 * used, each path obeys the rules for paths, and at the end the books are audited:
 * their writer was another life, and may have been anybody's.
 */
#include <string.h>

#include <store_alloc.h>

#include "keep.h"

/* What is left of an item. */
struct input {
    const uint8_t *at;
    size_t left;
};

/* NULL: there is not so much. */
static const void *take(struct input *in, size_t len)
{
    const uint8_t *at = in->at;

    if (len > in->left)
        return NULL;
    in->at += len;
    in->left -= len;
    return at;
}

/* A path by the rules, with its NUL: 0 or an error. */
static int take_path(struct input *in, size_t len, struct store_path *path)
{
    char name[STORE_PATH_MAX + 1];
    const char *text = take(in, len);

    if (!text || len == 0 || len > STORE_PATH_MAX || text[0] != '/' || memchr(text, 0, len))
        return -XEN_EINVAL;
    memcpy(name, text, len);
    name[len] = 0;
    return store_path_make(path, name, 0);
}

/* Whole names, each of which makes a path with the node's own. */
static bool are_names(const char *names, size_t len, size_t path_len)
{
    struct store_words words = {names, len};
    const char *name;

    while ((name = store_word(&words)) != NULL)
        if (*name == 0 || strchr(name, '/') || path_len + 1 + strlen(name) > STORE_PATH_MAX)
            return false;
    return words.left == 0;
}

static struct record *take_record(struct store_server *s, struct input *in,
                                  const struct keep_record *head, size_t path_len)
{
    struct store_perm perms[PERMS_MAX];

    if (head->perm_count == 0 || head->perm_count > PERMS_MAX ||
        head->value_len > STORE_PAYLOAD_MAX || head->children_len > CHILDREN_MAX)
        return NULL;

    const uint8_t *words = take(in, head->perm_count * sizeof(uint32_t));
    const char *value = take(in, head->value_len);
    const char *children = take(in, head->children_len);

    if (!words || !value || !children || !are_names(children, head->children_len, path_len))
        return NULL;
    for (unsigned i = 0; i < head->perm_count; i++) {
        uint32_t word;

        memcpy(&word, words + i * sizeof(word), sizeof(word));
        perms[i] = (struct store_perm){(domid_t)word, (char)(word >> 16)};
        if (perms[i].letter == 0 || !strchr("nrwb", perms[i].letter))
            return NULL;
    }

    struct record *r = record_make(s, perms, head->perm_count, value, head->value_len,
                                   (struct names){children, head->children_len, NULL, 0});

    if (r)
        r->generation = head->generation;
    return r;
}

/* ---- one kind each ----------------------------------------------------------------------------
 */

static int load_domain(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_domain *head = take(in, sizeof(*head));
    struct store_domain *d = head ? domain_get(load->s, domid) : NULL;

    if (!d)
        return -XEN_EINVAL;
    d->tx_last = head->tx_last;
    d->target = head->target;
    d->introduced = head->introduced != 0;
    d->serves = head->serves != 0;
    /* Nobody inherits that. */
    d->privileged = domid == load->control;
    return 0;
}

static int load_node(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_node *head = take(in, sizeof(*head));
    struct store_path path;
    int error = head ? take_path(in, head->path_len, &path) : -XEN_EINVAL;

    if (error != 0)
        return error;

    struct record *r = take_record(load->s, in, &head->record, path.len);

    if (r && r->perms[0].domid == domid)
        return node_add(load->s, path.text, path.len, r);
    record_drop(r);
    return -XEN_EINVAL;
}

/* What a watch may be on: 0, or an error. */
static int take_watched(struct input *in, size_t len, struct store_path *path)
{
    const char *text;

    if (in->left == 0 || in->at[0] != '@')
        return take_path(in, len, path);
    text = take(in, len);
    if (!text || len == 0 || len > STORE_PATH_MAX || memchr(text, 0, len))
        return -XEN_EINVAL;
    memcpy(path->text, text, len);
    path->text[len] = 0;
    path->len = len;
    return store_path_is_special(path->text) ? 0 : -XEN_EINVAL;
}

/* How much of a path the watch's events do not show: at most all of it, of the domain's home. */
static int skip_of(domid_t domid, const struct store_path *path, bool relative, size_t *skip)
{
    char home[STORE_HOME_SIZE];

    *skip = relative ? store_home(home, domid) + 1 : 0;
    if (relative && (path->len <= *skip || memcmp(path->text, home, *skip - 1) != 0))
        return -XEN_EINVAL;
    return 0;
}

static int load_watch(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_watch *head = take(in, sizeof(*head));
    struct store_domain *d = server_domain(load->s, domid);
    char token[STORE_PAYLOAD_MAX + 1];
    struct store_path path;
    size_t skip = 0;
    int error = head && d ? take_watched(in, head->path_len, &path) : -XEN_EINVAL;

    if (error == 0)
        error = skip_of(domid, &path, head->relative != 0, &skip);
    if (error != 0)
        return error;

    const char *word = take(in, head->token_len);

    if (!word || head->token_len > WATCH_TOKEN_MAX || memchr(word, 0, head->token_len))
        return -XEN_EINVAL;
    memcpy(token, word, head->token_len);
    token[head->token_len] = 0;

    struct watch *w = watch_make(load->s, d, &path, skip, token);

    if (!w)
        return -XEN_ENOMEM;
    w->overrun = head->overrun != 0;
    d->overruns += w->overrun;
    return 0;
}

static int load_event(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_event *head = take(in, sizeof(*head));
    struct store_domain *d = server_domain(load->s, domid);
    const char *path = head ? take(in, head->path_len) : NULL;
    struct watch *w = NULL;

    if (!d || !path || head->path_len > STORE_PATH_MAX || memchr(path, 0, head->path_len))
        return -XEN_EINVAL;
    if (head->watch != KEEP_NO_WATCH) {
        w = d->watches;
        for (uint32_t i = 0; w && i < head->watch; i++)
            w = w->next_domain;
        if (!w)
            return -XEN_EINVAL;
    }
    return event_add(load->s, d, w, path, head->path_len) ? 0 : -XEN_ENOMEM;
}

static int load_tx(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_tx *head = take(in, sizeof(*head));
    struct store_domain *d = server_domain(load->s, domid);

    if (!head || !d || head->id == 0 || tx_find(d, head->id))
        return -XEN_EINVAL;
    load->tx_domain = d;
    load->tx = tx_make(load->s, d, head->id);
    if (!load->tx)
        return -XEN_ENOMEM;
    load->tx->created = head->created;
    load->tx->failed = head->failed != 0;
    return 0;
}

/* One of a transaction's two records; SAME is as `same`. 0, or an error. */
static int take_source(struct keep_load *load, struct input *in, unsigned source,
                       const struct keep_record *head, size_t path_len, struct record *same,
                       struct record **r)
{
    *r = NULL;
    switch (source) {
    case KEEP_ABSENT: return 0;
    case KEEP_SAME: *r = record_hold(same); break;
    case KEEP_OWN: *r = take_record(load->s, in, head, path_len); break;
    default: return -XEN_EINVAL;
    }
    return *r ? 0 : -XEN_EINVAL;
}

static int load_tx_node(struct keep_load *load, domid_t domid, struct input *in)
{
    const struct keep_tx_node *head = take(in, sizeof(*head));
    struct record *before = NULL;
    struct record *now = NULL;
    struct node *n = NULL;
    struct store_path path;
    int error = head ? take_path(in, head->path_len, &path) : -XEN_EINVAL;

    if (error != 0)
        return error;
    if (!load->tx || load->tx_domain->domid != domid || head->fire > FIRE_ALL ||
        map_find(&load->tx->nodes, path.text, path.len))
        return -XEN_EINVAL;

    const struct node *there = node_find(load->s, path.text, path.len);

    error = take_source(load, in, head->before, &head->records[0], path.len,
                        there ? there->now : NULL, &before);
    if (error == 0)
        error = take_source(load, in, head->now, &head->records[1], path.len, before, &now);
    if (error == 0) {
        n = tx_node_add(load->s, load->tx_domain, load->tx, path.text, path.len, before, now);
        error = n ? 0 : -XEN_ENOMEM;
    }
    record_drop(before);
    record_drop(now);
    if (n) {
        n->fire = head->fire;
        n->changed = head->changed != 0;
    }
    return error;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static int (*const loaders[])(struct keep_load *load, domid_t domid, struct input *in) = {
    [KEEP_DOMAIN] = load_domain, [KEEP_NODE] = load_node, [KEEP_WATCH] = load_watch,
    [KEEP_EVENT] = load_event,   [KEEP_TX] = load_tx,     [KEEP_TX_NODE] = load_tx_node,
};

int server_load(struct keep_load *load, const struct journal_item *item)
{
    struct input in = {item->bytes, item->len};

    if (item->kind >= sizeof(loaders) / sizeof(loaders[0]) || !loaders[item->kind])
        return -XEN_EINVAL;

    int error = loaders[item->kind](load, item->domid, &in);

    return error == 0 && in.left > 0 ? -XEN_EINVAL : error;
}

int server_loaded(struct store_server *s, const struct keep_whole *whole)
{
    s->generation = whole->generation;
    domain_trim(s);
    return server_is_consistent(s) ? 0 : -XEN_EINVAL;
}
