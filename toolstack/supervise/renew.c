/*
 * A driver domain or a service that died comes back in place: the same id, a clean
 * image, and those that it served, whom its next life adopts. They see a pause.
 * One that dies too often is parked: it lies dead, and they wait.
 */
#include "supervise.h"

#include <stdio.h>
#include <string.h>

#include <abi/bulkhead.h>
#include <abi/control.h>
#include <build/life.h>
#include <build/nodes.h>
#include <hcall.h>
#include <rt/clock.h>

#define MS 1000000ull

bool renew_is_possible(const struct entry *e)
{
    /* The control domain's end is the host's. */
    return e->phase == ENTRY_LIVE && e->domid != 0 && (e->service || config_announces(e->config));
}

/*
 * Its guests keep their devices for another try, which only an operator asks for.
 * Until then its own devices are fenced and it has nothing of its guests mapped.
 */
static void park(struct entry *e)
{
    struct bulkhead_domain_reset reset = {.domid = e->domid};

    (void)hcall_domain_reset(&reset);
    watch_close(&e->watch);
    e->ready = false;
    e->dead = true;
    e->parked = true;
    supervise_hurry(false);
}

/*
 * Its memory is written anew, and the store told of it. Waiting for the store may
 * mean to start that anew: the build is done by then, and its buffer free again.
 */
static int build_again(struct supervise *s, struct entry *e)
{
    struct build_order order = entry_order(s, e);
    static struct build b;
    int rc = build_renew(&b, &order, e->domid, entry_command_line(s, e->config));
    evtchn_port_t life_port = b.life_port;

    e->renewal.reset = b.reset_at;
    e->renewal.written = clock_now();

    if (rc != 0)
        entry_complain(s, e, b.error.line, "%s", b.error.text);
    build_close(&b, false);
    if (rc == 0 && order.store != DOMID_INVALID) {
        rc = nodes_renew(s->store, &order, e->domid);
        if (rc != 0)
            entry_complain(s, e, e->config->line, "the store refused the domain's next life: %s",
                           strerror(-rc));
    }
    e->renewal.told = clock_now();
    return rc == 0 ? entry_open_watch(s, e, life_port) : rc;
}

/* What an operator has to do about one that is parked. */
static const char *what_helps(const struct entry *e)
{
    return e->service ? "the host must be restarted" : "its guests keep their devices and wait";
}

bool renew(struct supervise *s, struct entry *e)
{
    uint64_t from = clock_now();

    supervise_hurry(true);
    e->again = 0;
    e->renewal.noticed = from;
    if (e->renewal.died <= e->started || e->renewal.died > from)
        e->renewal.died = from;
    if (build_again(s, e) != 0 || !entry_unpause(s, e)) {
        park(e);
        supervise_say("%s: parked: %s until `restart %s`", e->config->name, what_helps(e),
                      e->config->name);
        return false;
    }
    (void)hcall_sched_yield(); /* its guests wait for it, nobody for us */
    e->dead = false;
    e->parked = false;
    supervise_say("%s: started again in place (id %u) in %llu.%llu ms", e->config->name, e->domid,
                  (e->started - from) / MS, (e->started - from) / (MS / 10) % 10);
    /* The others say when they serve. */
    if (!config_announces(e->config))
        supervise_hurry(false);
    return true;
}

bool renew_on_demand(struct supervise *s, struct entry *e)
{
    budget_clear(&e->budget);
    e->renewal.died = 0;
    return renew(s, e);
}

void renew_after_death(struct supervise *s, struct entry *e)
{
    struct config_restart limits = config_restart_of(e->config);
    uint64_t now = clock_now();

    e->ready = false;
    e->renewal.died = e->evidence && e->evidence->has_page ? e->evidence->page.when[LIFE_DIED] : 0;
    if (!budget_take(&e->budget, &limits, now, &e->again)) {
        park(e);
        supervise_say("%s: parked after %u restarts in %u s: %s; find out why it dies, then "
                      "`restart %s`",
                      e->config->name, limits.budget, limits.per_s, what_helps(e), e->config->name);
    } else if (e->again <= now) {
        (void)renew(s, e);
    } else {
        supervise_say("%s: waiting %llu ms before it starts again in place", e->config->name,
                      (e->again - now) / MS);
    }
}

void renew_report(struct entry *e)
{
    static const char *const names[] = {"noticed", "reset",   "image",   "store",
                                        "boot",    "devices", "adoption"};
    struct renewal *r = &e->renewal;
    struct life_page page;
    char text[256] = "";
    size_t used = 0;

    if (r->died == 0 || life_read(e->domid, &page, offsetof(struct life_page, log)) < 0)
        return;

    /* The last three are the domain's word: what makes no sense is no time. */
    const uint64_t at[] = {r->noticed,
                           r->reset,
                           r->written,
                           r->told,
                           page.when[LIFE_MAIN],
                           page.when[LIFE_DEVICES],
                           page.when[LIFE_SERVES]};
    uint64_t before = r->died;

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        uint64_t us = at[i] > before && at[i] <= clock_now() ? (at[i] - before) / 1000 : 0;

        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %llu.%02llu",
                                 i > 0 ? ", " : "", names[i], (unsigned long long)(us / 1000),
                                 (unsigned long long)(us / 10 % 100));
        before += us * 1000;
    }
    supervise_say("%s: serves again %llu.%llu ms after its end: %s", e->config->name,
                  (unsigned long long)((before - r->died) / MS),
                  (unsigned long long)((before - r->died) / (MS / 10) % 10), text);
    r->died = 0;
}
