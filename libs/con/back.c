/* One guest's console page, from the side of the service. */
#include "con_back.h"

#include <hcall.h>
#include <rt/event.h>

static int page_map(struct con_back *b)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)(uintptr_t)b->page,
        .flags = GNTMAP_host_map,
        .ref = GNTTAB_RESERVED_CONSOLE,
        .dom = b->peer,
        .status = GNTST_general_error,
    };
    int status = hcall_grant_map(&op, 1);

    if (status < 0)
        return status;
    if (op.status != GNTST_okay)
        return -XEN_EINVAL;
    b->handle = op.handle;
    return 0;
}

static void page_unmap(struct con_back *b)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = (uint64_t)(uintptr_t)b->page,
        .handle = b->handle,
    };

    (void)hcall_grant_unmap(&op, 1);
}

static void tell(const struct con_back *b)
{
    event_notify(b->port);
}

int con_back_connect(struct con_back *b, void *space, domid_t peer, evtchn_port_t remote,
                     const char **why)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = peer, .remote_port = remote};

    *b = (struct con_back){.page = space, .peer = peer};
    *why = "its page cannot be mapped";

    int status = page_map(b);

    if (status < 0)
        return status;
    *why = "its port cannot be bound";
    status = hcall_event_bind_interdomain(&bind);
    if (status < 0) {
        page_unmap(b);
        return status;
    }
    b->port = bind.local_port;
    ring_reader_init(&b->out, b->page->out, sizeof(b->page->out), &b->page->out_prod,
                     &b->page->out_cons);
    ring_writer_init(&b->in, b->page->in, sizeof(b->page->in), &b->page->in_prod,
                     &b->page->in_cons);
    event_open(b->port);
    /* The last life may have made room, or put input, and not come to say so. */
    tell(b);
    return 0;
}

void con_back_disconnect(struct con_back *b)
{
    if (b->port == 0)
        return;
    event_shut(b->port);
    (void)hcall_event_close(&(struct evtchn_close){.port = b->port});
    page_unmap(b);
    b->port = 0;
}

bool con_back_is_bound(const struct con_back *b)
{
    struct evtchn_status s = {.dom = DOMID_SELF, .port = b->port};

    return hcall_event_status(&s) >= 0 && s.status == EVTCHNSTAT_interdomain;
}

int con_back_look(const struct con_back *b, char *to, size_t len)
{
    return ring_reader_look(&b->out, 0, to, len);
}

void con_back_pass(struct con_back *b, size_t len)
{
    ring_reader_pass(&b->out, len);
    if (ring_reader_notify(&b->out))
        tell(b);
}

int con_back_put(struct con_back *b, const char *from, size_t len)
{
    int n = ring_writer_put(&b->in, from, len);

    if (n > 0)
        tell(b);
    return n;
}
