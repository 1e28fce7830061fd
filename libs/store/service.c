/* The store's connections, and the bytes that go through them. */
#include "store_service.h"

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/grant.h>
#include <hcall.h>
#include <ring.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <shm.h>
#include <store_alloc.h>

#define FEATURES (XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR)

struct connection {
    struct connection *next;
    domid_t domid;
    struct store_domain *domain;
    struct xenstore_domain_interface *page;
    grant_handle_t handle;
    evtchn_port_t port; /* 0: not connected any more, waits to be freed */
    struct ring_reader in;
    struct ring_writer out;
    bool ready;  /* there may be something to do */
    bool broken; /* it does not keep to the protocol */
    bool logged; /* and that was said */
    bool heard;  /* its last turn was an event: a request comes first now */
    bool notify; /* at the end of this turn */
    uint32_t in_got;
    uint32_t out_at;
    uint32_t out_len;
    struct server_message request;
    struct server_message answer;
};

struct store_service {
    struct store_server *server;
    struct connection *connections;
};

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
    return v;
}

struct store_server *service_server(struct store_service *v)
{
    return v->server;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void unmap(void *page, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = (uintptr_t)page, .handle = handle};

    if (hcall_grant_unmap(&op, 1) == 0 && op.status == GNTST_okay)
        memory_space_free(page, 1);
}

static void *map(domid_t domid, grant_handle_t *handle)
{
    void *page = memory_space_alloc(1);
    struct gnttab_map_grant_ref op = {.host_addr = (uintptr_t)page,
                                      .flags = GNTMAP_host_map,
                                      .ref = GNTTAB_RESERVED_XENSTORE,
                                      .dom = domid};

    if (!page)
        return NULL;
    if (hcall_grant_map(&op, 1) != 0 || op.status != GNTST_okay) {
        memory_space_free(page, 1);
        return NULL;
    }
    *handle = op.handle;
    return page;
}

static void disconnect(struct connection *c)
{
    struct evtchn_close close = {c->port};

    if (c->port == 0)
        return;
    event_shut(c->port);
    (void)hcall_event_close(&close);
    unmap(c->page, c->handle);
    c->port = 0;
    c->page = NULL;
    c->domain = NULL;
}

static void attach_rings(struct connection *c)
{
    struct xenstore_domain_interface *page = c->page;

    ring_reader_init(&c->in, page->req, XENSTORE_RING_SIZE, &page->req_prod, &page->req_cons);
    ring_writer_init(&c->out, page->rsp, XENSTORE_RING_SIZE, &page->rsp_prod, &page->rsp_cons);
    c->in_got = 0;
    c->out_len = 0;
    c->out_at = 0;
}

/* Nothing is under way in either direction, and nothing is wrong. */
static void page_clear(struct xenstore_domain_interface *page)
{
    shm_write32(&page->req_cons, 0);
    shm_write32(&page->req_prod, 0);
    shm_write32(&page->rsp_cons, 0);
    shm_write32(&page->rsp_prod, 0);
    shm_write32(&page->error, XENSTORE_ERROR_NONE);
}

/* anew: of its earlier connection there may be bytes in the page, ours too. */
static int connect(struct connection *c, evtchn_port_t port, bool anew)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = c->domid, .remote_port = port};

    c->page = map(c->domid, &c->handle);
    if (!c->page)
        return -XEN_EINVAL;
    if (hcall_event_bind_interdomain(&bind) != 0) {
        unmap(c->page, c->handle);
        return -XEN_EINVAL;
    }
    c->port = bind.local_port;
    if (anew)
        page_clear(c->page);
    attach_rings(c);
    shm_write32(&c->page->server_features, FEATURES);
    c->ready = true;
    event_open(c->port);
    return 0;
}

static struct connection *find(const struct store_service *v, domid_t domid)
{
    struct connection *c = v->connections;

    while (c && (c->domid != domid || c->port == 0))
        c = c->next;
    return c;
}

int service_open(struct store_service *v, domid_t domid, evtchn_port_t port, bool privileged)
{
    struct connection *old = find(v, domid);
    struct connection *c = store_alloc(sizeof(*c));
    int error;

    if (!c)
        return -XEN_ENOMEM;
    if (old)
        disconnect(old);
    c->domid = domid;
    error = connect(c, port, old != NULL);
    if (error == 0) {
        c->domain = server_introduce(v->server, domid, privileged);
        if (!c->domain) {
            disconnect(c);
            error = -XEN_ENOMEM;
        }
    }
    if (error != 0) {
        free(c);
        /* Without a connection it is as good as gone. */
        if (old)
            server_release(v->server, domid);
        return error;
    }
    c->next = v->connections;
    v->connections = c;
    return 0;
}

static void release(struct store_service *v, domid_t domid)
{
    struct connection *c = find(v, domid);

    if (c)
        disconnect(c);
    server_release(v->server, domid);
}

/* Frees the connections that ended since the last turn. */
static void sweep(struct store_service *v)
{
    struct connection **link = &v->connections;

    while (*link) {
        struct connection *c = *link;

        if (c->port != 0) {
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
        disconnect(c);
    sweep(v);
    server_destroy(v->server);
    free(v);
}

/* ---- a peer that breaks the rules ------------------------------------------------------------ */

static void fail(struct store_service *v, struct connection *c, uint32_t error)
{
    c->broken = true;
    c->ready = false;
    c->notify = true;
    server_reset(v->server, c->domain);
    shm_write32(&c->page->error, error);
    if (!c->logged)
        log_line("domain %u breaks the store's protocol (%s): not served any more", c->domid,
                 error == XENSTORE_ERROR_RINGIDX ? "ring index" : "message too long");
    c->logged = true;
}

/* The client wants to start anew, as a kernel does that was started by another one. */
static void reconnect(struct store_service *v, struct connection *c)
{
    struct xenstore_domain_interface *page = c->page;

    server_reset(v->server, c->domain);
    page_clear(page);
    attach_rings(c);
    c->broken = false;
    shm_barrier_write();
    shm_write32(&page->connection, XENSTORE_CONNECTED);
    c->notify = true;
}

/* ---- a turn ---------------------------------------------------------------------------------- */

/* Puts what is left of the outgoing message: 1 if nothing is, 0 if the ring is full. */
static int flush(struct connection *c)
{
    while (c->out_at < c->out_len) {
        int done =
            ring_writer_put(&c->out, (const char *)&c->answer + c->out_at, c->out_len - c->out_at);

        if (done <= 0)
            return done;
        c->out_at += (uint32_t)done;
        c->notify = true;
    }
    c->out_at = 0;
    c->out_len = 0;
    return 1;
}

/* Takes bytes up to the end of one request: 1 if it is whole, 0 if the ring is empty. */
static int receive(struct connection *c)
{
    for (;;) {
        uint32_t end = sizeof(struct xsd_sockmsg);

        if (c->in_got >= end)
            end += c->request.header.len;

        int taken = ring_reader_take(&c->in, (char *)&c->request + c->in_got, end - c->in_got);

        if (taken < 0)
            return taken;
        c->in_got += (uint32_t)taken;
        if (c->in_got == sizeof(struct xsd_sockmsg) && c->request.header.len > STORE_PAYLOAD_MAX)
            return -XEN_E2BIG;
        if (c->in_got < end)
            return 0;
        if (c->in_got == sizeof(struct xsd_sockmsg) + c->request.header.len) {
            c->in_got = 0;
            return 1;
        }
    }
}

static void serve(struct store_service *v, struct connection *c)
{
    struct server_todo todo =
        server_request(v->server, c->domain, &c->request.header, c->request.payload, &c->answer);
    int error = 0;

    switch (todo.action) {
    case SERVER_ACTION_NONE: break;
    case SERVER_ACTION_INTRODUCE:
        error = service_open(v, todo.domid, todo.port, false);
        if (error == 0)
            server_serves(server_domain(v->server, todo.domid), todo.serves);
        break;
    case SERVER_ACTION_RELEASE: release(v, todo.domid); break;
    }
    if (error != 0)
        server_refuse(&c->answer, error);
    c->out_len = (uint32_t)sizeof(c->answer.header) + c->answer.header.len;
}

static bool next_event(struct store_service *v, struct connection *c)
{
    if (!server_has_event(c->domain) || !server_event(v->server, c->domain, &c->answer))
        return false;
    c->out_len = (uint32_t)sizeof(c->answer.header) + c->answer.header.len;
    return true;
}

/* One event or one request, by turns: 1 if there was something, 0 if not, or an error. */
static int turn(struct store_service *v, struct connection *c)
{
    int got = flush(c);

    if (got <= 0)
        return got;
    if (!c->heard && next_event(v, c)) {
        c->heard = true;
    } else {
        got = receive(c);
        if (got < 0)
            return got;
        c->heard = false;
        if (got > 0)
            serve(v, c);
        else if (!next_event(v, c))
            return 0;
    }
    got = flush(c);
    return got < 0 ? got : 1;
}

static bool connection_turn(struct store_service *v, struct connection *c)
{
    int got = c->broken ? 0 : turn(v, c);

    if (got < 0)
        fail(v, c, got == -XEN_E2BIG ? XENSTORE_ERROR_PROTO : XENSTORE_ERROR_RINGIDX);
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
            reconnect(v, c);
    }
}

bool service_turn(struct store_service *v)
{
    bool more = false;

    for (struct connection *c = v->connections; c; c = c->next) {
        if (c->port == 0)
            continue;
        /* Others' requests make events for it; while its ring is full, they have to wait. */
        if (c->ready || (c->out_len == 0 && !c->broken && server_has_event(c->domain)))
            more |= connection_turn(v, c);
    }
    sweep(v);
    return more;
}
