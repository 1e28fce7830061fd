/* Makes and reads the life page of a domain. */
#include "life.h"

#include <abi/bulkhead.h>
#include <abi/layout.h>
#include <hcall.h>

#include "memory.h"

int life_make(domid_t domid, bool watched, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = DOMID_SELF};
    struct bulkhead_pair pair = {.domid = DOMID_SELF, .peer = domid};
    struct life_page first = {.magic = LIFE_MAGIC};
    int rc = 0;

    *port = 0;
    if (rc >= 0 && watched)
        rc = hcall_domain_pair(&pair);
    if (rc >= 0 && watched)
        rc = hcall_event_alloc_unbound(&alloc);
    if (rc < 0)
        return rc;
    if (watched)
        *port = first.port = alloc.port;
    return memory_load(domid, LAYOUT_LIFE_PAGE, &first, sizeof(first));
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
