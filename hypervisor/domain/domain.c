/* Domains: the list of them, their birth, their stop and their end. */
#include "domain/domain.h"

#include <arch/clock.h>
#include <arch/power.h>
#include <arch/tlb.h>

#include "domain/first.h"
#include "domain/share.h"
#include "event/event.h"
#include "grant/grant.h"
#include "mm/heap.h"
#include "pci/pci.h"
#include "sched/sched.h"
#include "util/string.h"
#include "vcpu/info.h"

/* All domains by id. */
static struct list domains = LIST_INIT(domains);
static struct lock domains_lock = LOCK_INIT(LOCK_DOMAINS);
static uint16_t next_id; /* ids are used again only after all have been used */

/* The first in order of ids from this one on; the list's lock is held. NULL: none. */
static struct domain *find_from(uint32_t id)
{
    list_for_each (struct domain, d, &domains, all)
        if (d->id >= id)
            return d;
    return NULL;
}

static struct domain *find(uint16_t id)
{
    struct domain *d = find_from(id);

    return d && d->id == id ? d : NULL;
}

struct domain *domain_get(uint16_t id)
{
    LOCK_SCOPE(&domains_lock);
    struct domain *d = find(id);
    if (d)
        domain_ref(d);
    return d;
}

void domain_ref(struct domain *d)
{
    __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
}

struct domain *domain_next(struct domain *d)
{
    lock_acquire(&domains_lock);
    struct domain *next = find_from(d ? d->id + 1u : 0);
    if (next)
        domain_ref(next);
    lock_release(&domains_lock);
    if (d)
        domain_put(d);
    return next;
}

static uint16_t id_after(uint16_t id)
{
    return id + 1u < DOMID_FIRST_RESERVED ? (uint16_t)(id + 1u) : 1;
}

/* A place in the list, in order of ids. */
static int enlist(struct domain *d, uint16_t id)
{
    LOCK_SCOPE(&domains_lock);
    if (id == 0 && next_id > 0) {
        for (unsigned tries = 0; find(next_id) && tries < DOMID_FIRST_RESERVED; tries++)
            next_id = id_after(next_id);
        id = next_id;
    }
    struct domain *after = find_from(id);
    if (after && after->id == id)
        return -XEN_EEXIST;
    d->id = id;
    if (id == next_id)
        next_id = id_after(id);
    list_add_tail(after ? &after->all : &domains, &d->all);
    return 0;
}

/* The last reference is gone: nobody can reach it. */
static void domain_free(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++)
        vcpu_destroy(d->vcpu[i]);
    event_fini(d);
    grant_free(d);
    p2m_fini(&d->p2m);
    pool_free(d->shared, 0);
    pool_free(d->scratch, 0);
    pool_free(d->pairs, 0);
    heap_free(d);
}

void domain_put(struct domain *d)
{
    if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0)
        domain_free(d);
}

static int parts_init(struct domain *d, const struct domain_limits *limits)
{
    int rc;

    d->shared = pool_alloc(0);
    d->scratch = pool_alloc(0);
    if (!d->shared || !d->scratch)
        return -XEN_ENOMEM;
    d->shared->wc_version = 2;
    d->shared->wc_sec = (uint32_t)clock_boot_seconds();
    d->shared->wc_sec_hi = (uint32_t)(clock_boot_seconds() >> 32);
    if ((rc = p2m_init(&d->p2m, d)) < 0 || (rc = event_init(d)) < 0 ||
        (rc = grant_init(d, limits->grant_frames)) < 0)
        return rc;
    for (unsigned i = 0; i < limits->vcpus; i++) {
        d->vcpu[i] = vcpu_create(d, i);
        if (!d->vcpu[i])
            return -XEN_ENOMEM;
        d->vcpu_count++;
        d->vcpu[i]->pause_count = 1;
        info_update_time(d->vcpu[i]);
    }
    return 0;
}

int domain_create(uint16_t id, const struct domain_limits *limits, struct domain **out)
{
    if (id >= DOMID_FIRST_RESERVED || limits->vcpus == 0 || limits->vcpus > DOMAIN_VCPUS ||
        limits->grant_frames > GRANT_FRAMES_MAX)
        return -XEN_EINVAL;
    struct domain *d = heap_alloc(sizeof(*d));
    if (!d)
        return -XEN_ENOMEM;
    d->refs = 2; /* the list's and the caller's */
    d->paused = true;
    d->shared_gfn = (gfn_t){FRAME_NONE};
    memcpy(d->handle, limits->handle, sizeof(d->handle));
    lock_init(&d->lock, LOCK_DOMAIN);
    list_init(&d->all);
    int rc = parts_init(d, limits);
    if (rc < 0 || (rc = enlist(d, id)) < 0) {
        domain_free(d);
        return rc;
    }
    string_format(d->label, sizeof(d->label), "domain-%u", d->id);
    *out = d;
    return 0;
}

/* Sets a flag of the domain; false: it was so already. */
static bool flag_change(struct domain *d, volatile bool *flag, bool value)
{
    LOCK_SCOPE(&d->lock);
    bool change = *flag != value;
    *flag = value;
    return change;
}

static void pause_all(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++)
        sched_pause(d->vcpu[i]);
}

int domain_destroy(struct domain *d)
{
    if (!flag_change(d, &d->dying, true))
        return -XEN_EINVAL;
    pause_all(d);
    pci_release(d);
    /* Other timers still fire while somebody holds the domain: the table stays. */
    event_close_all(d);
    grant_unmap_all(d);
    grant_revoke_all(d);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        timer_end(&d->vcpu[i]->lapic.timer); /* it could be one that fires for ever */
        info_release(d->vcpu[i]);
    }
    tlb_flush_p2m(&d->p2m);
    p2m_fini(&d->p2m);
    share_fini(d);

    lock_acquire(&domains_lock);
    list_del(&d->all);
    lock_release(&domains_lock);
    domain_put(d);
    return 0;
}

void domain_pause(struct domain *d)
{
    if (flag_change(d, &d->paused, true))
        pause_all(d);
}

/* What its last life registered is forgotten; the first entry is the builder's to set. */
static void vcpu_clear(struct vcpu *v, bool was_shut_down)
{
    sched_down(v);
    timer_end(&v->timer);
    timer_end(&v->poll_timer);
    timer_end(&v->lapic.timer);
    info_release(v);
    info_update_time(v);
    v->polling = v->upcall = v->was_started = false;
    if (was_shut_down)
        sched_unpause(v);
}

int domain_reset(struct domain *d)
{
    if (d->dying)
        return -XEN_EINVAL;
    domain_pause(d);
    (void)pci_restart(d, false);
    event_reset(d, (uint32_t)d->param[HVM_PARAM_STORE_EVTCHN],
                (uint32_t)d->param[HVM_PARAM_CONSOLE_EVTCHN]);
    grant_unmap_all(d);
    bool was_shut_down = flag_change(d, &d->shutdown, false);
    for (unsigned i = 0; i < d->vcpu_count; i++)
        vcpu_clear(d->vcpu[i], was_shut_down);
    d->param[HVM_PARAM_CALLBACK_IRQ] = d->callback_vector = 0;
    d->runstate_flag = d->has_run = d->entitled = false;
    return pci_restart(d, true);
}

void domain_unpause(struct domain *d)
{
    d->has_run = true;
    if (!flag_change(d, &d->paused, false))
        return;
    for (unsigned i = 0; i < d->vcpu_count; i++)
        sched_unpause(d->vcpu[i]);
}

void domain_shutdown(struct domain *d, uint8_t code)
{
    lock_acquire(&d->lock);
    bool first = !d->shutdown;
    if (first)
        d->shutdown_code = code;
    d->shutdown = true;
    lock_release(&d->lock);
    if (!first)
        return;
    pause_all(d);
    if (d->id == 0 && !first_may_return(d, code)) { /* nobody is left who could be told anything */
        console_log("the control domain stopped (reason %u): so does the host", code);
        if (code == SHUTDOWN_reboot)
            power_reboot();
        power_off(code == SHUTDOWN_poweroff ? 0 : 1);
    }
    event_raise_global(VIRQ_DOM_EXC);
}

void domain_crash(struct domain *d, const char *format, ...)
{
    char why[160];
    va_list args;

    va_start(args, format);
    string_vformat(why, sizeof(why), format, args);
    va_end(args);
    if (!d->shutdown) {
        console_log("domain %u (%s) crashed: %s", d->id, d->label, why);
        vcpu_dump(d->vcpu[0]);
    }
    domain_shutdown(d, SHUTDOWN_crash);
}
