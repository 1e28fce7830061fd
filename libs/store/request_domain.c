/* The store's requests about domains. */
#include "request.h"

#include <string.h>

static int take_domid(struct request *r, domid_t *domid)
{
    uint64_t number;
    int error = request_number(r, DOMID_FIRST_RESERVED - 1, &number);

    if (error == 0)
        *domid = (domid_t)number;
    return error;
}

/*
 * Domain, frame (ours is always the page of the reserved grant), port; then, of
 * ours alone, "1" for a domain that serves others.
 */
int request_introduce(struct request *r)
{
    uint64_t port = 0;
    const char *frame;
    const char *serves = NULL;
    domid_t domid = 0;
    int error = take_domid(r, &domid);

    frame = store_word(&r->words);
    if (error == 0)
        error = frame ? request_number(r, UINT32_MAX, &port) : -XEN_EINVAL;
    if (error == 0)
        serves = store_word(&r->words);
    if (serves && strcmp(serves, "1") != 0)
        error = -XEN_EINVAL;
    /* The caller's own connection is not its to replace. */
    if (error == 0 && (domid == r->d->domid || port == 0))
        error = -XEN_EINVAL;
    if (error == 0)
        r->todo = (struct server_todo){SERVER_ACTION_INTRODUCE, domid, (evtchn_port_t)port,
                                       serves != NULL};
    return request_acknowledge(r, error);
}

int request_release(struct request *r)
{
    domid_t domid = 0;
    int error = take_domid(r, &domid);

    if (error == 0 && domid == r->d->domid)
        error = -XEN_EINVAL;
    if (error == 0 && !server_domain(r->s, domid))
        error = -XEN_ENOENT;
    if (error == 0)
        r->todo = (struct server_todo){SERVER_ACTION_RELEASE, domid, 0, false};
    return request_acknowledge(r, error);
}

int request_get_domain_path(struct request *r)
{
    char home[STORE_HOME_SIZE];
    domid_t domid = 0;
    int error = take_domid(r, &domid);

    if (error != 0)
        return error;
    (void)store_home(home, domid);
    return request_answer(r, home);
}

int request_is_introduced(struct request *r)
{
    domid_t domid = 0;
    int error = take_domid(r, &domid);

    return error ? error : request_answer(r, server_domain(r->s, domid) ? "T" : "F");
}

/* Nothing is remembered about suspended domains. */
int request_resume(struct request *r)
{
    domid_t domid = 0;
    int error = take_domid(r, &domid);

    if (error == 0 && !server_domain(r->s, domid))
        error = -XEN_ENOENT;
    return request_acknowledge(r, error);
}

/* The first domain gets the rights of the second, whose device model it is. */
int request_set_target(struct request *r)
{
    domid_t domid = 0;
    domid_t target = 0;
    int error = take_domid(r, &domid);

    if (error == 0)
        error = take_domid(r, &target);
    if (error != 0)
        return error;

    struct store_domain *d = server_domain(r->s, domid);

    if (!d || !server_domain(r->s, target))
        return -XEN_ENOENT;
    if (d->privileged || target == 0)
        return -XEN_EINVAL;
    d->target = target;
    return request_answer(r, "OK");
}
