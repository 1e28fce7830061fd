/* The table of domains, found again by a new life of the control domain. */
#include "adopt.h"

#include <stdlib.h>
#include <string.h>

#include <abi/event.h>
#include <build/life.h>
#include <hcall.h>
#include <rt/clock.h>

#include "record.h"
#include "supervise.h"

struct xen_domctl_getdomaininfo *adopt_list(size_t *count)
{
    struct xen_domctl_getdomaininfo *infos = NULL;
    struct xen_sysctl op;
    uint32_t room = 8;
    int rc;

    /* Once more, with more room, for as long as all of it is filled. */
    do {
        free(infos);
        room *= 2;
        infos = calloc(room, sizeof(*infos));
        if (!infos)
            return NULL;
        memset(&op, 0, sizeof(op));
        op.cmd = XEN_SYSCTL_getdomaininfolist;
        op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        op.u.getdomaininfolist.first_domain = 1;
        op.u.getdomaininfolist.max_domains = room;
        set_xen_guest_handle(op.u.getdomaininfolist.buffer, infos);
        rc = hcall_control_domain_list(&op);
    } while (rc >= 0 && op.u.getdomaininfolist.num_domains == room);
    *count = rc < 0 ? 0 : op.u.getdomaininfolist.num_domains;
    return infos;
}

/*
 * Ours closed when the last life ended, so the domain's end waits for us to bind
 * it. It is the domain's word which that is: a wrong one can only cost it its own
 * watch.
 */
static evtchn_port_t life_port(domid_t domid)
{
    struct life_page page;

    return life_read(domid, &page, offsetof(struct life_page, log)) < 0 ? 0 : page.port;
}

void adopt_live(struct supervise *s, struct entry *e, domid_t domid)
{
    e->phase = ENTRY_LIVE;
    e->domid = domid;
    e->started = clock_now();
    e->lives = 1;
    e->wanted = true;
    /* Our own images say when their backends are up, and it still stands there. */
    e->ready = !config_announces(e->config);
    if (e->config->watchdog_ms != 0 && entry_open_watch(s, e, life_port(domid)) == 0)
        watch_begin(&e->watch, e->started);
}

/* Who served each device when it was opened; as far as that is not known, who would now. */
static bool find_backends(struct supervise *s, struct entry *e)
{
    size_t count = config_served_count(e->config);

    if (count == 0)
        return true;
    e->backends = calloc(count, sizeof(*e->backends));
    if (!e->backends)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct config_served *served = config_served(e->config, i);
        const struct entry *b = served->backend ? supervise_of_config(s, served->backend) : NULL;

        e->backends[i] = b ? b->domid : DOMID_INVALID;
    }
    record_backends_of(s, e);
    return true;
}

static struct entry *find_entry(const struct supervise *s,
                                const struct xen_domctl_getdomaininfo *info)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->entries[i]->service &&
            memcmp(s->entries[i]->config->uuid, info->handle, sizeof(info->handle)) == 0)
            return s->entries[i];
    return NULL;
}

static bool is_service(const struct supervise *s, domid_t domid)
{
    return domid == s->store_domid || domid == s->console_domid;
}

static bool has_run(const struct xen_domctl_getdomaininfo *info)
{
    return !(info->flags & XEN_DOMINF_paused) || info->cpu_time > 0;
}

bool adopt_is_half_renewed(const struct entry *e, const struct xen_domctl_getdomaininfo *info)
{
    return renew_is_possible(e) && (info->flags & XEN_DOMINF_paused) != 0;
}

/*
 * A domain that was being built when the last life ended is ended and begun anew;
 * for one that was being ended that goes on.
 */
static void settle(struct supervise *s, struct entry *e,
                   const struct xen_domctl_getdomaininfo *info)
{
    static const enum entry_next follows[] = {[RECORD_RUNS] = NEXT_RESTART,
                                              [RECORD_RESTART] = NEXT_RESTART,
                                              [RECORD_STOPPED] = NEXT_STOP,
                                              [RECORD_FAILED] = NEXT_FAIL};
    enum record_next next = record_next_of(s, e);

    entry_watch(s, e, true);
    if (next != RECORD_RUNS || !has_run(info)) {
        /* Whom it served was told before, or has never been served. */
        e->phase = ENTRY_OPENING;
        supervise_stop(s, e, follows[next]);
        return;
    }
    record_image_of(s, e);
    if (adopt_is_half_renewed(e, info))
        (void)renew_on_demand(s, e);
}

/* First all get their ids: who serves whom is asked after that. */
static unsigned find_all(struct supervise *s, const struct xen_domctl_getdomaininfo *infos,
                         size_t count)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++) {
        struct entry *e = find_entry(s, &infos[i]);

        if (is_service(s, infos[i].domain))
            continue;
        found++;
        if (e && e->domid == DOMID_INVALID)
            adopt_live(s, e, infos[i].domain);
        else
            supervise_say("domain %u is there, but no file that is known describes it: it goes on "
                          "by itself",
                          infos[i].domain);
    }
    return found;
}

unsigned adopt_all(struct supervise *s)
{
    size_t count = 0;
    struct xen_domctl_getdomaininfo *infos = adopt_list(&count);
    unsigned found = infos ? find_all(s, infos, count) : 0;

    for (size_t i = 0; i < count; i++) {
        struct entry *e = find_entry(s, &infos[i]);

        if (e && e->domid == infos[i].domain && find_backends(s, e))
            settle(s, e, &infos[i]);
    }
    free(infos);
    return found;
}

bool adopt_wants_start(struct supervise *s, struct entry *e)
{
    enum record_next next = record_next_of(s, e);

    if (entry_is_active(e) || e->domid != DOMID_INVALID)
        return false;
    if (next != RECORD_STOPPED && next != RECORD_FAILED)
        return true;
    e->phase = next == RECORD_FAILED ? ENTRY_FAILED : ENTRY_STOPPED;
    e->wanted = true;
    return false;
}
