/* Memory piece by piece, each at the machine's own address; what is not free becomes a hole. */
#include "exact.h"

#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <hcall.h>

/* Linux keeps the first MiB for itself and lets no device use it, so any frames will do there. */
#define FIRST_END 0x100000ull
#define PIECE     0x200000ull

bool exact_is_needed(const struct domain_config *config)
{
    struct bulkhead_host_info host = {0};

    return config_is_driver(config) && !config_is_image(config) && hcall_host_info(&host) >= 0 &&
           !(host.flags & BULKHEAD_HOST_IOMMU);
}

/* False: there is no room for another piece apart from the others. */
static bool add_piece(struct layout_request *request, uint64_t at)
{
    struct layout_range *last = &request->ram[request->ram_count - 1];

    if (last->end == at) {
        last->end += PIECE;
        return true;
    }
    if (request->ram_count == LAYOUT_RAM_MAX)
        return false;
    request->ram[request->ram_count++] = (struct layout_range){at, at + PIECE};
    return true;
}

static bool has_kernel(const struct layout_request *request)
{
    for (unsigned i = 0; i < request->ram_count; i++)
        if (request->ram[i].start <= request->kernel_start &&
            request->ram[i].end >= request->kernel_end)
            return true;
    return false;
}

int exact_take(domid_t domid, struct layout_request *request)
{
    uint64_t left = request->memory;
    int rc = memory_populate(domid, 0, FIRST_END);

    request->ram[0] = (struct layout_range){0, FIRST_END};
    request->ram_count = 1;
    for (uint64_t at = PIECE; rc >= 0 && left > 0 && at < LAYOUT_LOW_END; at += PIECE) {
        rc = memory_claim(domid, at, PIECE);
        if (rc == 0 && !add_piece(request, at))
            return -ENOMEM;
        if (rc == 0)
            left -= left < PIECE ? left : PIECE;
        rc = rc == -ENOMEM ? 0 : rc;
        if (at >= request->kernel_end && !has_kernel(request))
            return -ENOSPC;
    }
    return rc < 0 ? rc : left > 0 ? -ENOMEM : 0;
}

/* Other domains' pages are at no address of the machine's: what goes to a device is copied. */
char *exact_cmdline(const char *cmdline)
{
    size_t len = strlen(cmdline) + sizeof(" swiotlb=force");
    char *text = malloc(len);

    if (text)
        (void)snprintf(text, len, "%s%s", cmdline,
                       strstr(cmdline, "swiotlb=") ? "" : " swiotlb=force");
    return text;
}
