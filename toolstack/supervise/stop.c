/* From a running domain to none: why it died, what its file says about that, and the clean-up. */
#include "supervise.h"

#include <errno.h>
#include <string.h>

#include <abi/control.h>
#include <abi/store.h>
#include <build/nodes.h>
#include <hcall.h>
#include <rt/clock.h>

#include <xen/sched.h>

#include "record.h"

#define SECOND 1000000000ull

/* So long a backend may take to let go; then the domain goes without it. */
#define CLOSE_TIME SECOND

/* A domain that dies younger than this is not restarted before that age. */
#define RESTART_TIME SECOND

/* What a shutdown code means, and which element of the file decides what follows. */
struct death {
    const char *what;
    enum { BY_POWEROFF, BY_REBOOT, BY_CRASH } by;
};

static const struct death deaths[] = {
    [SHUTDOWN_poweroff] = {"powered off", BY_POWEROFF},
    [SHUTDOWN_reboot] = {"asked for a reboot", BY_REBOOT},
    [SHUTDOWN_suspend] = {"suspended itself, which is not supported", BY_POWEROFF},
    [SHUTDOWN_crash] = {"crashed", BY_CRASH},
    [SHUTDOWN_watchdog] = {"was stopped by its watchdog", BY_CRASH},
    [SHUTDOWN_soft_reset] = {"asked for a soft reset, which is not supported", BY_CRASH},
};
static const struct death hung = {"hung", BY_CRASH};
/* What the C library does about a heap that is not as it should be. */
static const struct death halted = {"halted in the middle", BY_CRASH};
static const struct death vanished = {"is gone", BY_CRASH};
static const struct death unknown = {"stopped for a reason nobody knows", BY_CRASH};

static const struct death *find_death(int64_t flags)
{
    unsigned code = ((uint64_t)flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;

    if (flags < 0)
        return &vanished;
    if (code >= sizeof(deaths) / sizeof(deaths[0]))
        return &unknown;
    return &deaths[code];
}

static enum config_action action_for(const struct domain_config *c, const struct death *death)
{
    switch (death->by) {
    case BY_POWEROFF: return c->on_poweroff;
    case BY_REBOOT: return c->on_reboot;
    case BY_CRASH: break;
    }
    return c->on_crash;
}

/* Others have devices that this domain served. */
static void tell_users(const struct supervise *s, const struct entry *e)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *user = s->entries[i];
        char label[CONFIG_LABEL_MAX];

        if (user->phase != ENTRY_LIVE || user->dead)
            continue;
        for (size_t n = 0; n < config_served_count(user->config); n++)
            if (user->backends[n] == e->domid)
                supervise_say("%s: its %s is gone with %s: start it again when %s runs",
                              user->config->name,
                              config_served_label(config_served(user->config, n), label),
                              e->config->name, e->config->name);
    }
}

/* Where it stands why it crashed. */
static const char *where_to_look(const struct entry *e)
{
    return config_is_image(e->config) ? "; `domcrash` says more"
                                      : "; its console, or the core (dmesg), says why";
}

static void handle_death(struct supervise *s, struct entry *e, const struct death *death)
{
    static const char *const follows[] = {[CONFIG_DESTROY] = "",
                                          [CONFIG_RESTART] = ": starting it again",
                                          [CONFIG_PRESERVE] =
                                              ": preserved, destroy it when you have seen enough"};
    enum config_action action = action_for(e->config, death);

    /* Nobody can do without a service, however it ended. */
    if (e->service)
        action = CONFIG_RESTART;
    bool in_place =
        action == CONFIG_RESTART && (e->service || death->by == BY_CRASH) && renew_is_possible(e);
    if (in_place)
        supervise_hurry(true);
    /* Guests that go down still write: their disk comes back until the last of them has gone. */
    if (s->leaving && action == CONFIG_RESTART && !in_place)
        action = CONFIG_DESTROY;
    if (death->by == BY_CRASH) {
        s->failed = true;
        evidence_keep(e, death->what);
    }
    supervise_say("%s: %s (id %u)%s%s", e->config->name, death->what, e->domid,
                  death->by == BY_CRASH ? where_to_look(e) : "", in_place ? "" : follows[action]);
    e->ready = false;
    if (e->trial) {
        upgrade_end(s, e, death->what);
        return;
    }
    if (in_place) {
        renew_after_death(s, e);
        return;
    }
    if (action == CONFIG_PRESERVE) {
        tell_users(s, e);
        e->dead = true;
        return;
    }
    supervise_stop(s, e, action == CONFIG_RESTART ? NEXT_RESTART : NEXT_STOP);
}

/* The core's word on it, and what we know better. */
static const struct death *death_of(const struct entry *e, int64_t flags)
{
    const struct death *death = find_death(flags);

    if (e->watch.state == WATCH_STRUCK)
        return &hung;
    if (death->by == BY_POWEROFF && config_is_image(e->config) && evidence_is_halt(e->domid))
        return &halted;
    return death;
}

bool live_step(struct supervise *s, struct entry *e)
{
    int64_t flags;
    uint64_t up = 0;

    if (e->dead || e->again > clock_now())
        return false;
    if (e->again != 0) {
        (void)renew(s, e);
        return true;
    }
    flags = entry_flags(s, e);
    if (e->handover.state != HANDOVER_NONE) {
        bool moved = handover_step(s, e, flags);

        if (moved || e->handover.state != HANDOVER_NONE)
            return moved;
    }
    if (flags < 0 || ((uint64_t)flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) != 0) {
        handle_death(s, e, death_of(e, flags));
        return true;
    }
    if (watch_look(&e->watch, e->domid, (uint64_t)flags, clock_now())) {
        (void)domain_command(e->domid, XEN_DOMCTL_pausedomain);
        handle_death(s, e, &hung);
        return true;
    }
    if (e->ready)
        return false;
    if (s->still ||
        store_read_number(s->store, STORE_TX_NONE, &up, "/local/domain/%u/backend-ready",
                          e->domid) < 0 ||
        up != 1) {
        if (e->trial == 0 || clock_now() < e->trial)
            return false;
        upgrade_end(s, e, "took too long");
        return true;
    }
    e->ready = true;
    renew_report(e);
    supervise_hurry(false);
    if (e->trial)
        upgrade_end(s, e, NULL);
    return true;
}

void supervise_stop(struct supervise *s, struct entry *e, enum entry_next next)
{
    static const enum record_next notes[] = {
        [NEXT_STOP] = RECORD_STOPPED, [NEXT_RESTART] = RECORD_RESTART, [NEXT_FAIL] = RECORD_FAILED};

    if (entry_is_active(e))
        record_next(s, e, notes[next]);
    if (e->phase == ENTRY_WAITING) {
        console_move(e->attached, DOMID_SELF);
        e->phase = next == NEXT_FAIL ? ENTRY_FAILED : ENTRY_STOPPED;
        return;
    }
    e->next = next;
    if (e->phase != ENTRY_OPENING && e->phase != ENTRY_LIVE)
        return;
    if (e->phase == ENTRY_LIVE && (!e->dead || e->parked) && e->handover.state != HANDOVER_FREE)
        tell_users(s, e);
    (void)domain_command(e->domid, XEN_DOMCTL_pausedomain);
    e->ready = false;
    e->phase = ENTRY_CLOSING;
    e->deadline = clock_now() + CLOSE_TIME;
    for (size_t i = 0; i < config_served_count(e->config); i++)
        if (backend_is_live(s, e, i))
            nodes_close(s->store, config_served(e->config, i), e->domid, e->backends[i]);
}

/* The backend of one device has let go, or there is nobody to wait for. */
static bool is_closed(struct supervise *s, const struct entry *e, size_t index)
{
    char path[NODES_PATH_MAX];
    uint64_t state = 0;
    int rc;

    if (!backend_is_live(s, e, index))
        return true;
    rc = store_read_number(s->store, STORE_TX_NONE, &state, "%s/state",
                           entry_backend_path(e, index, path));
    return rc < 0 ? rc == -ENOENT : state == XenbusStateClosed;
}

static void finish(struct supervise *s, struct entry *e)
{
    struct build_order order = {
        .config = e->config, .backends = e->backends, .console = s->console_domid};
    uint64_t now = clock_now();
    int rc;

    watch_close(&e->watch);
    upgrade_forget(e);
    record_image(s, e);
    entry_watch(s, e, false);
    nodes_remove(s->store, &order, e->domid);
    rc = build_destroy(e->domid);
    if (rc < 0 && rc != -ESRCH)
        supervise_say("%s: the core refused to destroy id %u: %s", e->config->name, e->domid,
                      strerror(-rc));
    /* Who looks at its console will look at its successor's; else the prompt is back. */
    if (e->next == NEXT_RESTART) {
        e->attached = e->domid;
    } else {
        console_move(e->domid, DOMID_SELF);
        console_move(e->attached, DOMID_SELF);
        e->attached = DOMID_INVALID;
    }
    handover_stopped(s, e);
    e->domid = DOMID_INVALID;
    e->dead = false;
    e->parked = false;
    e->again = 0;
    switch (e->next) {
    case NEXT_STOP: e->phase = ENTRY_STOPPED; break;
    case NEXT_FAIL: e->phase = ENTRY_FAILED; break;
    case NEXT_RESTART:
        record_next(s, e, RECORD_RUNS);
        e->phase = ENTRY_WAITING;
        e->deadline = now - e->started < RESTART_TIME ? e->started + RESTART_TIME : 0;
        break;
    }
}

bool closing_step(struct supervise *s, struct entry *e)
{
    for (size_t i = 0; i < config_served_count(e->config); i++) {
        const struct config_served *served = config_served(e->config, i);
        char label[CONFIG_LABEL_MAX];

        if (is_closed(s, e, i))
            continue;
        if (clock_now() < e->deadline)
            return false;
        supervise_say("%s: %s does not let go of %s: going on without", e->config->name,
                      served->backend->name, config_served_label(served, label));
    }
    finish(s, e);
    return true;
}
