/* xen_version: what a guest may know about us. */
#include "hypercall/call.h"

#include "domain/domain.h"
#include "util/string.h"

/* What PVH guests need and what we do; hvm_pirqs stays off, so that interrupts are native MSIs. */
#define FEATURES                                                                                   \
    ((1u << XENFEAT_writable_page_tables) | (1u << XENFEAT_auto_translated_physmap) |              \
     (1u << XENFEAT_supervisor_mode_kernel) | (1u << XENFEAT_hvm_callback_vector) |                \
     (1u << XENFEAT_hvm_safe_pvclock) | (1u << XENFEAT_memory_op_vnode_supported))

int64_t hc_version(struct hc_call *)
{
    return VERSION_MAJOR << 16 | VERSION_MINOR;
}

int64_t hc_version_pagesize(struct hc_call *)
{
    return PAGE_SIZE;
}

int hc_version_extra(struct hc_call *, xen_extraversion_t *arg)
{
    string_format(*arg, sizeof(*arg), "-bulkhead");
    return 0;
}

int hc_version_compile(struct hc_call *, struct xen_compile_info *arg)
{
    string_format(arg->compiler, sizeof(arg->compiler), "gcc %s", __VERSION__);
    string_format(arg->compile_by, sizeof(arg->compile_by), "bulkhead");
    string_format(arg->compile_domain, sizeof(arg->compile_domain), "bulkhead");
    string_format(arg->compile_date, sizeof(arg->compile_date), "reproducible");
    return 0;
}

int hc_version_capabilities(struct hc_call *, xen_capabilities_info_t *arg)
{
    string_format(*arg, sizeof(*arg), "hvm-3.0-x86_32 hvm-3.0-x86_64");
    return 0;
}

int hc_version_changeset(struct hc_call *, xen_changeset_info_t *arg)
{
    string_format(*arg, sizeof(*arg), "unavailable");
    return 0;
}

/* A translated guest has no use for the start of a PV address space. */
int hc_version_platform(struct hc_call *, struct xen_platform_parameters *arg)
{
    arg->virt_start = 0;
    return 0;
}

int hc_version_features(struct hc_call *, struct xen_feature_info *arg)
{
    if (arg->submap_idx >= XENFEAT_NR_SUBMAPS)
        return -XEN_EINVAL;
    arg->submap = FEATURES;
    return 0;
}

int hc_version_handle(struct hc_call *call, xen_domain_handle_t *arg)
{
    memcpy(*arg, call->domain->handle, sizeof(*arg));
    return 0;
}
