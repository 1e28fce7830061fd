/* Grant table calls. */
#include "domain/domain.h"
#include "hypercall/call.h"

int hc_grant_map(struct hc_call *call, struct gnttab_map_grant_ref *arg)
{
    grant_map(call->domain, arg);
    return 0;
}

int hc_grant_unmap(struct hc_call *call, struct gnttab_unmap_grant_ref *arg)
{
    grant_unmap(call->domain, arg, &call->batch);
    return 0;
}

int hc_grant_copy(struct hc_call *call, struct gnttab_copy *arg)
{
    grant_copy(call->domain, arg);
    return 0;
}

/* Giving a page away for good: no stock front end asks for it any more. */
int hc_grant_transfer(struct hc_call *, struct gnttab_transfer *arg)
{
    arg->status = GNTST_general_error;
    return 0;
}

int hc_grant_query_size(struct hc_call *call, struct gnttab_query_size *arg)
{
    if (arg->dom != DOMID_SELF && arg->dom != call->domain->id) {
        arg->status = GNTST_permission_denied;
        return 0;
    }
    arg->nr_frames = call->domain->grants->frames;
    arg->max_nr_frames = grant_frames_max(call->domain);
    arg->status = GNTST_okay;
    return 0;
}

int hc_grant_set_version(struct hc_call *, struct gnttab_set_version *arg)
{
    if (arg->version != 1)
        return -XEN_EINVAL;
    return 0;
}

int hc_grant_get_version(struct hc_call *call, struct gnttab_get_version *arg)
{
    if (arg->dom != DOMID_SELF && arg->dom != call->domain->id)
        return -XEN_EPERM;
    arg->version = 1;
    return 0;
}

int hc_grant_seed(struct hc_call *call, struct bulkhead_grant_seed *arg)
{
    if (call->target != call->domain && call->target->has_run)
        return -XEN_EBUSY;
    return grant_seed(call->target, arg->ref, arg->peer, arg->gfn);
}
