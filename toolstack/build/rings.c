/* The pages that a domain shares with store and console, and their ports. */
#include "steps.h"

#include "memory.h"

#include <abi/addr.h>
#include <abi/layout.h>
#include <hcall.h>

static int set_param(domid_t domid, uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {.domid = domid, .index = index, .value = value};

    return hcall_hvm_set_param(&param);
}

/* A page that a service maps by a seeded grant, and a port that it binds. */
struct ring_kind {
    uint64_t page;
    uint32_t ref;
    uint32_t pfn_param;
    uint32_t port_param;
};

static const struct ring_kind store_ring = {LAYOUT_STORE_PAGE, GNTTAB_RESERVED_XENSTORE,
                                            HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN};
static const struct ring_kind console_ring = {LAYOUT_CONSOLE_PAGE, GNTTAB_RESERVED_CONSOLE,
                                              HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN};

static int make_ring(domid_t domid, domid_t service, const struct ring_kind *kind,
                     evtchn_port_t *port)
{
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = service};
    struct bulkhead_grant_seed seed = {
        .domid = domid, .peer = service, .ref = kind->ref, .gfn = kind->page >> PAGE_SHIFT};
    int rc = memory_populate(domid, kind->page, PAGE_SIZE);

    if (rc >= 0)
        rc = hcall_event_alloc_unbound(&alloc);
    if (rc >= 0)
        rc = hcall_grant_seed(&seed);
    if (rc >= 0)
        rc = set_param(domid, kind->pfn_param, kind->page >> PAGE_SHIFT);
    if (rc >= 0)
        rc = set_param(domid, kind->port_param, alloc.port);
    *port = alloc.port;
    return rc;
}

int step_make_rings(struct build *b)
{
    int rc = 0;

    if (b->order.store != DOMID_INVALID)
        rc = make_ring(b->domid, b->order.store, &store_ring, &b->store_port);
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = make_ring(b->domid, b->order.console, &console_ring, &b->console_port);
    return rc < 0 ? build_refused(b, rc, "set up the rings of store and console") : 0;
}

/* The grants once more, and a store ring that is empty; its ports are still there. */
int step_renew_rings(struct build *b)
{
    struct bulkhead_grant_seed seed = {.domid = b->domid,
                                       .peer = b->order.store,
                                       .ref = store_ring.ref,
                                       .gfn = store_ring.page >> PAGE_SHIFT};
    int rc = 0;

    if (b->order.store != DOMID_INVALID) {
        rc = hcall_grant_seed(&seed);
        if (rc >= 0)
            rc = memory_clear(b->domid, store_ring.page, PAGE_SIZE);
    }
    seed.peer = b->order.console;
    seed.ref = console_ring.ref;
    seed.gfn = console_ring.page >> PAGE_SHIFT;
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = hcall_grant_seed(&seed);
    return rc < 0 ? build_refused(b, rc, "set up the rings of store and console") : 0;
}
