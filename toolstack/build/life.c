/* Makes and reads the life page of a domain. */
#include "life.h"

#include <abi/bulkhead.h>
#include <abi/layout.h>
#include <hcall.h>

#include "memory.h"

static int make_port(domid_t domid, uint32_t *port)
{
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = DOMID_SELF};
    int rc = hcall_event_alloc_unbound(&alloc);

    *port = alloc.port;
    return rc;
}

int life_make(domid_t domid, bool watched, bool obeys, evtchn_port_t *port)
{
    struct bulkhead_pair pair = {.domid = DOMID_SELF, .peer = domid};
    struct life_page first = {.magic = LIFE_MAGIC};
    int rc = 0;

    *port = 0;
    if (watched || obeys)
        rc = hcall_domain_pair(&pair);
    if (rc >= 0 && watched)
        rc = make_port(domid, &first.port);
    for (unsigned i = 0; rc >= 0 && obeys && i < LIFE_ORDERS; i++)
        rc = make_port(domid, &first.orders[i]);
    if (rc < 0)
        return rc;
    *port = first.port;
    return memory_load(domid, LAYOUT_LIFE_PAGE, &first, sizeof(first));
}

/* The port is the domain's word: a wrong one is at most one of its own. */
int life_order(domid_t domid, enum life_order order)
{
    struct life_page page;
    struct evtchn_bind_interdomain bind = {.remote_dom = domid};
    struct evtchn_send send;
    struct evtchn_close close;
    int rc = life_read(domid, &page, offsetof(struct life_page, log));

    if (rc < 0)
        return rc;
    bind.remote_port = page.orders[order];
    rc = hcall_event_bind_interdomain(&bind);
    if (rc < 0)
        return rc;
    send.port = close.port = bind.local_port;
    rc = hcall_event_send(&send);
    (void)hcall_event_close(&close);
    return rc;
}

int life_read(domid_t domid, struct life_page *page, size_t len)
{
    struct bulkhead_memory_copy copy = {.domid = domid,
                                        .flags = BULKHEAD_COPY_READ,
                                        .gpa = LAYOUT_LIFE_PAGE,
                                        .buffer = (uint64_t)(uintptr_t)page,
                                        .len = len};

    return hcall_memory_copy(&copy);
}
