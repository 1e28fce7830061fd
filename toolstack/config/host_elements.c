/* The table of host.xml's elements: one row each. What has no row here is refused. */
#include "elements.h"

enum row { HOST, DOMAIN, IOMMU, FAULTS, ROW_COUNT };

static const struct walk_element rows[ROW_COUNT] = {
    [HOST] = {HOST, "host", .write = "<host>", .meaning = "one host"},
    [DOMAIN] = {HOST, "domain", .count = WALK_MANY, .begin = host_begin_domain,
                .meaning = "a domain of the host, and where it is described",
                .attributes = {{"file", true, "(/[!-.0-~]+)+", NULL, host_set_file,
                                .write = "file='/debian.xml', an absolute path without spaces"},
                               {"autostart", false, "yes|no", NULL, host_set_autostart,
                                .write = "yes or no"}}},
    [IOMMU] = {HOST, "iommu", .begin = host_begin_iommu,
               .meaning = "may a domain own a PCI function that no IOMMU contains",
               .attributes = {{"required", true, "yes|no", NULL, host_set_required,
                               .write = "required='yes', or 'no', which is UNSAFE"}}},
    [FAULTS] = {HOST, "fault-injection", .begin = host_begin_faults,
                .meaning = "may driver domains be made to fail on purpose",
                .attributes = {{"allowed", true, "yes|no", NULL, host_set_allowed,
                                .write = "allowed='yes' or 'no'"}}},
};

const struct walk_grammar elements_host = {rows, ROW_COUNT, elements_hints};
