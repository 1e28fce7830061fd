/* A back end's hold on the pages of its front end's rings. */
#ifndef BUS_RINGS_H
#define BUS_RINGS_H

#include <stdint.h>

#include <abi/grant.h>

/* What to map for the page of a ring, at this address. */
static inline struct gnttab_map_grant_ref bus_ring_page(domid_t peer, grant_ref_t ref,
                                                        const void *at)
{
    return (struct gnttab_map_grant_ref){.host_addr = (uintptr_t)at,
                                         .flags = GNTMAP_host_map,
                                         .ref = ref,
                                         .dom = peer,
                                         .status = GNTST_general_error};
}

/* All pages with one call. 0, or an error; what was mapped then still is to be unmapped. */
int bus_rings_map(struct gnttab_map_grant_ref *maps, uint32_t count);

/* Those that were mapped, 64 at most, with one call. */
void bus_rings_unmap(const struct gnttab_map_grant_ref *maps, uint32_t count);

#endif
