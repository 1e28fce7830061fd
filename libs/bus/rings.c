/* Mapping ring pages. What was mapped is known by its status afterwards. */
#include "bus_rings.h"

#include <hcall.h>

#define PAGES_MAX 64u

int bus_rings_map(struct gnttab_map_grant_ref *maps, uint32_t count)
{
    int rc = hcall_grant_map(maps, count);

    for (uint32_t i = 0; i < count && rc >= 0; i++)
        if (maps[i].status != GNTST_okay)
            rc = -XEN_EINVAL;
    return rc < 0 ? rc : 0;
}

void bus_rings_unmap(const struct gnttab_map_grant_ref *maps, uint32_t count)
{
    struct gnttab_unmap_grant_ref ops[PAGES_MAX];
    uint32_t used = 0;

    for (uint32_t i = 0; i < count && used < PAGES_MAX; i++)
        if (maps[i].status == GNTST_okay)
            ops[used++] = (struct gnttab_unmap_grant_ref){.host_addr = maps[i].host_addr,
                                                          .handle = maps[i].handle};
    if (used > 0)
        (void)hcall_grant_unmap(ops, used);
}
