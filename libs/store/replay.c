/*
 * What is kept of the connections, and how a next life finds it: the whole state
 * first, then each message that was taken since is answered again by the same
 * functions, without a word to anybody. An answer that does not look as it did
 * ends that: from there on nothing is believed.
 */
#include "connection.h"

#include <string.h>

#include <rt/event.h>
#include <rt/log.h>

struct replay {
    struct store_service *v;
    struct keep_load load;
    bool whole; /* the state is there: what follows was done to it */
    unsigned items;
};

/* ---- the whole state ------------------------------------------------------------------------- */

static void connection_save(const struct connection *c, struct journal *j)
{
    struct keep_connection head = {.remote = c->remote,
                                   .in_at = c->in_at,
                                   .out_base = c->out_base,
                                   .error = c->error,
                                   .in_got = c->in_got,
                                   .out_len = c->out_len,
                                   .broken = c->broken,
                                   .logged = c->logged,
                                   .heard = c->heard};
    const struct journal_part parts[] = {
        {&head, sizeof(head)}, {&c->request, c->in_got}, {&c->answer, c->out_len}};

    journal_add(j, KEEP_CONNECTION, c->domid, parts, 3);
}

void service_save(struct store_service *v)
{
    struct journal *j = &v->journal;
    struct keep_whole head;
    const struct journal_part part = {&head, sizeof(head)};

    journal_begin(j);
    server_save(v->server, j);
    for (const struct connection *c = v->connections; c; c = c->next)
        if (!c->gone)
            connection_save(c, j);
    head.generation = v->server->generation;
    journal_add(j, KEEP_WHOLE, 0, &part, 1);
    if (!journal_end(j))
        log_line("there is no room for what a next life would need: a death loses the tree");
}

/* At most a part of a request, whose rest is still to come. */
static bool is_part(const struct server_message *request, uint32_t got)
{
    return got < sizeof(request->header) || (request->header.len <= STORE_PAYLOAD_MAX &&
                                             got <= sizeof(request->header) + request->header.len);
}

static int load_connection(struct replay *r, const struct journal_item *item)
{
    const struct keep_connection *head = (const void *)item->bytes;
    size_t left = item->len - sizeof(*head);
    struct connection *c;

    if (item->len < sizeof(*head) || head->in_got > sizeof(c->request) ||
        head->out_len > sizeof(c->answer) || left != (size_t)head->in_got + head->out_len ||
        head->remote == 0 || head->remote >= EVENT_PORTS || service_find(r->v, item->domid))
        return -XEN_EINVAL;
    c = service_add(r->v, item->domid, head->remote);
    if (!c)
        return -XEN_ENOMEM;
    c->in_at = head->in_at;
    c->out_base = head->out_base;
    c->error = head->error;
    c->in_got = head->in_got;
    c->out_len = head->out_len;
    c->broken = head->broken != 0;
    c->logged = head->logged != 0;
    c->heard = head->heard != 0;
    memcpy(&c->request, head + 1, c->in_got);
    memcpy(&c->answer, (const uint8_t *)(head + 1) + c->in_got, c->out_len);
    return is_part(&c->request, c->in_got) ? 0 : -XEN_EINVAL;
}

static int end_whole(struct replay *r, const struct journal_item *item)
{
    const struct keep_whole *head = (const void *)item->bytes;
    int error = item->len == sizeof(*head) ? server_loaded(r->load.s, head) : -XEN_EINVAL;

    for (struct connection *c = r->v->connections; c && error == 0; c = c->next) {
        c->domain = server_domain(r->load.s, c->domid);
        if (!c->domain)
            error = -XEN_EINVAL;
    }
    r->whole = error == 0;
    return error;
}

/* ---- what was done ----------------------------------------------------------------------------
 */

static int open_again(struct replay *r, struct server_todo todo, const struct keep_taken *told)
{
    struct connection *old = service_find(r->v, todo.domid);
    struct connection *c;

    if (old)
        connection_close(old);
    if (told->opened_error != 0) {
        if (old)
            server_release(r->load.s, todo.domid);
        return told->opened_error;
    }
    c = service_add(r->v, todo.domid, todo.port);
    if (!c)
        return -XEN_ENOMEM;
    c->in_at = told->opened_in;
    c->out_base = told->opened_out;
    c->domain = server_introduce(r->load.s, todo.domid, false);
    if (!c->domain) {
        connection_close(c);
        return -XEN_ENOMEM;
    }
    server_serves(c->domain, todo.serves);
    return 0;
}

static int act_again(struct replay *r, struct server_todo todo, const struct keep_taken *told)
{
    struct connection *c = service_find(r->v, todo.domid);
    int error = 0;

    switch (todo.action) {
    case SERVER_ACTION_NONE: return 0;
    case SERVER_ACTION_INTRODUCE: error = open_again(r, todo, told); break;
    case SERVER_ACTION_RELEASE:
        if (c)
            connection_close(c);
        server_release(r->load.s, todo.domid);
        break;
    }
    service_sweep(r->v);
    return error;
}

static int take_again(struct replay *r, struct connection *c, const struct journal_item *item)
{
    const struct keep_taken *head = (const void *)item->bytes;
    size_t len = item->len - sizeof(*head);

    if (item->len < sizeof(*head) || len > sizeof(c->request) - c->in_got)
        return -XEN_EINVAL;
    memcpy((char *)&c->request + c->in_got, head + 1, len);
    /* What is refused has left nothing behind. */
    if (!is_part(&c->request, c->in_got + (uint32_t)len))
        return -XEN_EINVAL;
    c->in_got += (uint32_t)len;
    c->in_at = head->in_at;
    c->heard = false;
    if (c->in_got < sizeof(c->request.header) + c->request.header.len)
        return 0;
    c->in_got = 0;

    struct server_todo todo =
        server_request(r->load.s, c->domain, &c->request.header, c->request.payload, &c->answer);
    int error = act_again(r, todo, head);

    if (error != 0)
        server_refuse(&c->answer, error);
    connection_answer(c, head->out_base);
    return keep_look(&c->answer) == head->answer ? 0 : -XEN_EIO;
}

static int tell_again(struct replay *r, struct connection *c, const struct journal_item *item)
{
    const struct keep_told *head = (const void *)item->bytes;

    if (item->len != sizeof(*head))
        return -XEN_EINVAL;
    if (!server_event(r->load.s, c->domain, &c->answer))
        return head->answer == 0 ? 0 : -XEN_EIO;
    c->heard = true;
    connection_answer(c, head->out_base);
    return keep_look(&c->answer) == head->answer ? 0 : -XEN_EIO;
}

static int break_again(struct replay *r, struct connection *c, const struct journal_item *item)
{
    const struct keep_broken *head = (const void *)item->bytes;

    if (item->len != sizeof(*head))
        return -XEN_EINVAL;
    server_reset(r->load.s, c->domain);
    c->broken = true;
    c->logged = true;
    c->error = head->error;
    return 0;
}

static int reconnect_again(struct replay *r, struct connection *c, const struct journal_item *item)
{
    if (item->len != 0)
        return -XEN_EINVAL;
    server_reset(r->load.s, c->domain);
    connection_reset(c);
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int (*const doers[])(struct replay *r, struct connection *c,
                            const struct journal_item *item) = {
    [KEEP_TAKEN] = take_again,
    [KEEP_TOLD] = tell_again,
    [KEEP_BROKEN] = break_again,
    [KEEP_RECONNECT] = reconnect_again,
};

static int replay_item(struct replay *r, const struct journal_item *item)
{
    struct connection *c = service_find(r->v, item->domid);

    if (!r->whole) {
        switch (item->kind) {
        case KEEP_CONNECTION: return load_connection(r, item);
        case KEEP_WHOLE: return end_whole(r, item);
        default: return server_load(&r->load, item);
        }
    }
    if (!c || item->kind >= sizeof(doers) / sizeof(doers[0]) || !doers[item->kind])
        return -XEN_EINVAL;
    return doers[item->kind](r, c, item);
}

/* Nothing of it can be used. */
static void forget(struct replay *r)
{
    for (struct connection *c = r->v->connections; c; c = c->next)
        connection_close(c);
    service_sweep(r->v);
    server_destroy(r->load.s);
}

bool service_replay(struct store_service *v, domid_t control)
{
    struct replay r = {.v = v, .load = {.control = control}};
    struct journal_item item;
    int got = 0;

    r.load.s = server_create(&v->server->limits);
    if (!r.load.s)
        return false;
    while ((got = journal_read(&v->journal, &item)) > 0 && (got = replay_item(&r, &item)) == 0) {
        r.items++;
        event_alive();
    }
    if (got < 0 || (!r.whole && r.items > 0))
        log_line("what the last life left makes no sense behind item %u (error %d): %s", r.items,
                 -got, r.whole ? "the rest of it is lost" : "all of it is lost");
    if (!r.whole) {
        forget(&r);
        return false;
    }
    server_destroy(v->server);
    v->server = r.load.s;
    log_line("taken over from the last life: %zu nodes, %u items", v->server->nodes.count, r.items);
    return true;
}
