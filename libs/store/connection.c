/* One connection of the store: its page, its port, and the bytes that go through them. */
#include "connection.h"

#include <abi/addr.h>
#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>

#define FEATURES (XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR)

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

/* Nothing is under way in either direction, and nothing is wrong. */
static void page_clear(struct xenstore_domain_interface *page)
{
    shm_write32(&page->req_cons, 0);
    shm_write32(&page->req_prod, 0);
    shm_write32(&page->rsp_cons, 0);
    shm_write32(&page->rsp_prod, 0);
    shm_write32(&page->error, XENSTORE_ERROR_NONE);
}

/* Page and port, and both rings where their indices are now, or at their start. */
static int attach(struct connection *c, bool anew)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = c->domid, .remote_port = c->remote};
    struct xenstore_domain_interface *page = map(c->domid, &c->handle);

    if (!page)
        return -XEN_EINVAL;
    if (hcall_event_bind_interdomain(&bind) != 0) {
        unmap(page, c->handle);
        return -XEN_EINVAL;
    }
    c->page = page;
    c->port = bind.local_port;
    if (anew)
        page_clear(page);
    ring_reader_init(&c->in, page->req, XENSTORE_RING_SIZE, &page->req_prod, &page->req_cons);
    ring_writer_init(&c->out, page->rsp, XENSTORE_RING_SIZE, &page->rsp_prod, &page->rsp_cons);
    c->ready = true;
    event_open(c->port);
    return 0;
}

int connection_open(struct connection *c, bool anew)
{
    int error = attach(c, anew);

    if (error != 0)
        return error;
    c->in_at = c->in.at;
    c->out_base = c->out.at;
    shm_write32(&c->page->server_features, FEATURES);
    /* It may have been refused before, or its page cleared under the connection that it had. */
    shm_write32(&c->page->error, XENSTORE_ERROR_NONE);
    return 0;
}

int connection_resume(struct connection *c)
{
    int error = attach(c, false);

    if (error != 0)
        return error;
    /* What was kept is taken from the ring, even if the last life did not come to say so. */
    ring_reader_resume(&c->in, c->in_at);
    /* And may not have heard of room, or of an answer. */
    c->notify = true;
    /* How much of the answer is out is told by the index that made it so. */
    c->out_at = c->out.at - c->out_base;
    return c->out_at <= c->out_len ? 0 : -XEN_EIO;
}

void connection_close(struct connection *c)
{
    struct evtchn_close close = {c->port};

    c->gone = true;
    c->domain = NULL;
    if (c->port == 0)
        return;
    event_shut(c->port);
    (void)hcall_event_close(&close);
    unmap(c->page, c->handle);
    c->port = 0;
    c->page = NULL;
}

void connection_reset(struct connection *c)
{
    c->in_at = 0;
    c->out_base = 0;
    c->in_got = 0;
    c->out_at = 0;
    c->out_len = 0;
    c->heard = false;
    c->broken = false;
}

void connection_answer(struct connection *c, uint32_t out_base)
{
    c->out_base = out_base;
    c->out_at = 0;
    c->out_len = (uint32_t)sizeof(c->answer.header) + c->answer.header.len;
}

int connection_flush(struct connection *c)
{
    while (c->out_at < c->out_len) {
        int done =
            ring_writer_put(&c->out, (const char *)&c->answer + c->out_at, c->out_len - c->out_at);

        if (done <= 0)
            return done;
        c->out_at += (uint32_t)done;
        c->notify = true;
    }
    c->out_base = c->out.at;
    c->out_at = 0;
    c->out_len = 0;
    return 1;
}

int connection_receive(struct connection *c, uint32_t *taken)
{
    uint32_t got = c->in_got;
    uint32_t seen = 0;

    for (;;) {
        uint32_t end = sizeof(struct xsd_sockmsg);

        if (got >= end)
            end += c->request.header.len;

        int more = ring_reader_look(&c->in, seen, (char *)&c->request + got, end - got);

        if (more < 0)
            return more;
        got += (uint32_t)more;
        seen += (uint32_t)more;
        if (got == sizeof(struct xsd_sockmsg) && c->request.header.len > STORE_PAYLOAD_MAX)
            return -XEN_E2BIG;
        if (got < end)
            break;
        if (got == sizeof(struct xsd_sockmsg) + c->request.header.len) {
            *taken = seen;
            c->in_got = 0;
            return 1;
        }
    }
    /*
     * A part is taken, too: one who writes a request in pieces tells of the next only
     * if the last one is gone, or waits for room.
     */
    *taken = seen;
    c->in_got = got;
    return 0;
}
