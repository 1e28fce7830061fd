/* The store's connections together: who is served, by turns, and what is kept of it. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include <rt/event.h>
#include <rt/log.h>
#include <shm.h>
#include <store_alloc.h>

struct store_service *service_create(const struct store_limits *limits)
{
    struct store_service *v = store_alloc(sizeof(*v));

    if (!v)
        return NULL;
    v->server = server_create(limits);
    if (!v->server) {
        free(v);
        return NULL;
    }
    journal_open(&v->journal, NULL, 0);
    return v;
}

struct store_server *service_server(struct store_service *v)
{
    return v->server;
}

struct connection *service_find(const struct store_service *v, domid_t domid)
{
    struct connection *c = v->connections;

    while (c && (c->domid != domid || c->gone))
        c = c->next;
    return c;
}

bool service_serves(const struct store_service *v, domid_t domid)
{
    return service_find(v, domid) != NULL;
}

struct connection *service_add(struct store_service *v, domid_t domid, evtchn_port_t remote)
{
    struct connection *c = store_alloc(sizeof(*c));

    if (!c)
        return NULL;
    c->domid = domid;
    c->remote = remote;
    c->next = v->connections;
    v->connections = c;
    return c;
}

void service_sweep(struct store_service *v)
{
    struct connection **link = &v->connections;

    while (*link) {
        struct connection *c = *link;

        if (!c->gone) {
            link = &c->next;
            continue;
        }
        *link = c->next;
        free(c);
    }
}

void service_destroy(struct store_service *v)
{
    for (struct connection *c = v->connections; c; c = c->next)
        connection_close(c);
    service_sweep(v);
    server_destroy(v->server);
    free(v);
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* told: what a next life has to know of it. */
static int open(struct store_service *v, domid_t domid, evtchn_port_t port, bool privileged,
                struct keep_taken *told)
{
    struct connection *old = service_find(v, domid);
    struct connection *c = service_add(v, domid, port);
    int error;

    if (!c)
        return -XEN_ENOMEM;
    if (old)
        connection_close(old);
    error = connection_open(c, old != NULL);
    if (error == 0) {
        c->domain = server_introduce(v->server, domid, privileged);
        if (!c->domain)
            error = -XEN_ENOMEM;
    }
    if (error != 0) {
        connection_close(c);
        /* Without a connection it is as good as gone. */
        if (old)
            server_release(v->server, domid);
    }
    told->opened_error = error;
    told->opened_in = c->in_at;
    told->opened_out = c->out_base;
    return error;
}

int service_open(struct store_service *v, domid_t domid, evtchn_port_t port, bool privileged)
{
    struct keep_taken told;

    /* Nobody asked for it by a message, so there is nothing that could be done again. */
    journal_spoil(&v->journal);
    return open(v, domid, port, privileged, &told);
}

static void release(struct store_service *v, domid_t domid)
{
    struct connection *c = service_find(v, domid);

    if (c)
        connection_close(c);
    server_release(v->server, domid);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

void service_commit(struct store_service *v)
{
    if (!journal_commit(&v->journal))
        service_save(v);
}

/* A client that wants to start anew may have been about to get its wish. */
static void resume(struct store_service *v, struct connection *c)
{
    int error = connection_resume(c);

    if (error != 0 && error != -XEN_EIO) {
        log_line("domain %u: its connection is gone (error %d)", c->domid, -error);
        connection_close(c);
        return;
    }
    if (shm_read32(&c->page->connection) == XENSTORE_RECONNECT)
        service_reconnect(v, c);
    else if (error != 0)
        service_fail(v, c, XENSTORE_ERROR_RINGIDX);
    else if (c->broken)
        shm_write32(&c->page->error, c->error);
}

/* What the last life had begun, and its ring still holds, may be what ended that. */
static void suspect(struct store_service *v)
{
    domid_t domid;
    uint32_t at;
    bool was = journal_was_doing(&v->journal, &domid, &at);
    const struct connection *c = was ? service_find(v, domid) : NULL;

    journal_suspect(&v->journal, c && c->in_at == at);
}

bool service_keep(struct store_service *v, void *area, size_t len, domid_t control)
{
    bool found;

    journal_open(&v->journal, area, len);
    found = service_replay(v, control);
    suspect(v);
    if (!found)
        return false;
    for (struct connection *c = v->connections; c; c = c->next)
        resume(v, c);
    service_sweep(v);
    service_save(v);
    return true;
}

/* Bytes of the request that are taken now, and what came of it if they end it. */
static void keep_taken(struct store_service *v, struct connection *c, uint32_t end, uint32_t taken,
                       struct keep_taken *head)
{
    const struct journal_part parts[] = {{head, sizeof(*head)},
                                         {(const char *)&c->request + end - taken, taken}};

    c->heard = false;
    c->in_at = c->in.at + taken;
    head->in_at = c->in_at;
    journal_add(&v->journal, KEEP_TAKEN, c->domid, parts, 2);
}

/* ---- a peer that breaks the rules ------------------------------------------------------------ */

void service_fail(struct store_service *v, struct connection *c, uint32_t error)
{
    struct keep_broken head = {error};
    const struct journal_part part = {&head, sizeof(head)};

    c->broken = true;
    c->error = error;
    c->ready = false;
    c->notify = true;
    server_reset(v->server, c->domain);
    journal_add(&v->journal, KEEP_BROKEN, c->domid, &part, 1);
    service_commit(v);
    shm_write32(&c->page->error, error);
    if (!c->logged)
        log_line("domain %u breaks the store's protocol (%s): not served any more", c->domid,
                 error == XENSTORE_ERROR_RINGIDX ? "ring index" : "message too long");
    c->logged = true;
}

/* The client wants to start anew, as a kernel does that was started by another one. */
void service_reconnect(struct store_service *v, struct connection *c)
{
    struct xenstore_domain_interface *page = c->page;

    server_reset(v->server, c->domain);
    connection_reset(c);
    journal_add(&v->journal, KEEP_RECONNECT, c->domid, NULL, 0);
    service_commit(v);
    /* Until the last of these the client's wish stands, and a next life does it again. */
    ring_reader_resume(&c->in, 0);
    c->out.at = 0;
    shm_write32(&page->req_prod, 0);
    shm_write32(&page->rsp_cons, 0);
    shm_write32(&page->rsp_prod, 0);
    shm_write32(&page->error, XENSTORE_ERROR_NONE);
    shm_barrier_write();
    shm_write32(&page->connection, XENSTORE_CONNECTED);
    c->notify = true;
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static int act(struct store_service *v, struct server_todo todo, struct keep_taken *told)
{
    int error = 0;

    switch (todo.action) {
    case SERVER_ACTION_NONE: break;
    case SERVER_ACTION_INTRODUCE:
        error = open(v, todo.domid, todo.port, false, told);
        if (error == 0)
            server_serves(server_domain(v->server, todo.domid), todo.serves);
        break;
    case SERVER_ACTION_RELEASE: release(v, todo.domid); break;
    }
    return error;
}

/* Whoever asked what ends one life after another is told no: then all others have a store. */
static bool is_refused(struct store_service *v, struct connection *c)
{
    unsigned most = v->server->limits.request_lives;
    unsigned ended = journal_doing(&v->journal, c->domid, c->in_at);

    if (most == 0 || ended < most)
        return false;
    log_line("domain %u: its request (type %u) ended %u lives of this domain: refused", c->domid,
             c->request.header.type, ended);
    c->answer.header = c->request.header;
    server_refuse(&c->answer, -XEN_EIO);
    return true;
}

/* Answers the request that the bytes taken end. */
static void serve(struct store_service *v, struct connection *c, uint32_t taken)
{
    uint32_t len = (uint32_t)sizeof(c->request.header) + c->request.header.len;
    struct keep_taken told = {.out_base = c->out.at};
    struct server_todo todo = {.action = SERVER_ACTION_NONE};
    bool refused = is_refused(v, c);

    if (!refused)
        todo = server_request(v->server, c->domain, &c->request.header, c->request.payload,
                              &c->answer);

    int error = act(v, todo, &told);

    if (error != 0)
        server_refuse(&c->answer, error);
    connection_answer(c, c->out.at);
    told.answer = keep_look(&c->answer);
    keep_taken(v, c, len, taken, &told);
    /* Asked again, there may be memory; and what was not done must not be done then. */
    if (refused || (c->answer.header.type == XS_ERROR && strcmp(c->answer.payload, "ENOMEM") == 0))
        journal_spoil(&v->journal);
}

/* That there was one and that it went is kept even if its watch was removed meanwhile. */
static bool next_event(struct store_service *v, struct connection *c)
{
    struct keep_told head = {.out_base = c->out.at};
    const struct journal_part part = {&head, sizeof(head)};
    bool is_there;

    if (!server_has_event(c->domain))
        return false;
    is_there = server_event(v->server, c->domain, &c->answer);
    if (is_there) {
        c->heard = true;
        head.answer = keep_look(&c->answer);
        connection_answer(c, c->out.at);
    }
    journal_add(&v->journal, KEEP_TOLD, c->domid, &part, 1);
    return is_there;
}

/*
 * One event or one request, by turns: 1 if there was something, 0 if not, or an
 * error. What it does is kept before anybody can see it.
 */
static int turn(struct store_service *v, struct connection *c)
{
    uint32_t taken = 0;
    int got = connection_flush(c);

    if (got <= 0)
        return got;
    if (c->heard || !next_event(v, c)) {
        got = connection_receive(c, &taken);
        if (got < 0)
            return got;
        if (got > 0)
            serve(v, c, taken);
        else if (taken > 0)
            keep_taken(v, c, c->in_got, taken, &(struct keep_taken){0});
        else if (!next_event(v, c))
            return 0;
    }
    service_commit(v);
    journal_done(&v->journal);
    if (taken > 0)
        ring_reader_pass(&c->in, taken);
    got = connection_flush(c);
    return got < 0 ? got : 1;
}

static bool connection_turn(struct store_service *v, struct connection *c)
{
    int got = c->broken ? 0 : turn(v, c);

    if (got < 0)
        service_fail(v, c, got == -XEN_E2BIG ? XENSTORE_ERROR_PROTO : XENSTORE_ERROR_RINGIDX);
    c->ready = got > 0;
    if (ring_reader_notify(&c->in))
        c->notify = true;
    if (c->notify) {
        event_notify(c->port);
        c->notify = false;
    }
    /* Before it failed, it may have made work for others. */
    return got != 0;
}

void service_event(struct store_service *v, evtchn_port_t port)
{
    for (struct connection *c = v->connections; c; c = c->next) {
        if (c->port != port || port == 0)
            continue;
        c->ready = true;
        if (shm_read32(&c->page->connection) == XENSTORE_RECONNECT)
            service_reconnect(v, c);
    }
}

bool service_turn(struct store_service *v)
{
    bool more = false;

    for (struct connection *c = v->connections; c; c = c->next) {
        if (c->gone)
            continue;
        /* Others' requests make events for it; while its ring is full, they have to wait. */
        if (c->ready || (c->out_len == 0 && !c->broken && server_has_event(c->domain)))
            more |= connection_turn(v, c);
    }
    service_sweep(v);
    return more;
}
