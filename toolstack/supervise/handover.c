/* The restart of a Linux driver domain, step by step. */
#include "supervise.h"

#include <stdio.h>
#include <string.h>

#include <abi/control.h>
#include <abi/store.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>

#define SECOND 1000000000ull
#define MS     1000000ull

/* So long it may take to answer what it has begun, and then to power off. */
#define DETACH_TIME   (30 * SECOND)
#define POWEROFF_TIME (30 * SECOND)

/* So long its next life may take to boot and to take up the rings. */
#define BACK_TIME (180 * SECOND)

#define CONTROL "/local/domain/%u/control/"

/* ---- whom it serves ----------------------------------------------------------------------------
 */

/* The next device that e serves, from (*user, *index) on. False: there is none. */
static bool next_user(const struct supervise *s, domid_t domid, size_t *user, size_t *index)
{
    for (; *user < s->count; (*user)++, *index = 0) {
        const struct entry *u = s->entries[*user];
        bool lives = (u->phase == ENTRY_LIVE && !u->dead) || u->phase == ENTRY_OPENING;

        for (; lives && *index < config_served_count(u->config); (*index)++)
            if (u->backends[*index] == domid)
                return true;
    }
    return false;
}

#define FOR_EACH_USER(s, domid, user, index)                                                       \
    for (size_t user = 0, index = 0; next_user(s, domid, &user, &index); index++)

bool handover_is_for(const struct supervise *s, const struct entry *e)
{
    if (e->service || config_is_image(e->config))
        return false;
    FOR_EACH_USER(s, e->domid, user, index)
    return true;
    return config_is_driver(e->config);
}

/* ---- letting go --------------------------------------------------------------------------------
 */

static bool refuse(const struct entry *e, const char *why)
{
    supervise_say("%s: not restarted: %s", e->config->name, why);
    return false;
}

static bool is_said(const struct supervise *s, const struct entry *e, const char *node,
                    unsigned what)
{
    uint64_t value = 0;

    return store_read_number(s->store, STORE_TX_NONE, &value, CONTROL "%s", e->domid, node) >= 0 &&
           value == what;
}

static int ask(const struct supervise *s, const struct entry *e, unsigned what)
{
    return store_write_number(s->store, STORE_TX_NONE, what, CONTROL "detach", e->domid);
}

static void watch(const struct supervise *s, const struct entry *e, bool on)
{
    /* As for all watches: one that cannot be set only costs time. */
    if (on)
        (void)!store_watch(s->store, "supervise", CONTROL "detached", e->domid);
    else
        (void)!store_unwatch(s->store, "supervise", CONTROL "detached", e->domid);
}

bool handover_begin(struct supervise *s, struct entry *e)
{
    uint64_t now = clock_now();

    if (e->handover.state != HANDOVER_NONE)
        return refuse(e, "it is being restarted already");
    if (domain_flags(e->domid) & XEN_DOMINF_paused)
        return refuse(e, "it is paused");
    if (!is_said(s, e, "feature-detach", 1))
        return refuse(e, "its system does not let go of its guests' devices; `destroy` and "
                         "`create` begin it anew, without them");
    FOR_EACH_USER(s, e->domid, user, index)
    if (s->entries[user]->phase == ENTRY_OPENING)
        return refuse(e, "it is opening a guest's devices; try again when that runs");
    e->handover.asked++;
    if (ask(s, e, e->handover.asked) < 0)
        return refuse(e, "the store refused the request");
    watch(s, e, true);
    e->ready = false;
    e->handover.state = HANDOVER_ASKED;
    e->handover.begun = now;
    e->handover.limit = now + DETACH_TIME;
    supervise_say("%s: asked to let go of its guests' devices", e->config->name);
    return true;
}

static void end(const struct supervise *s, struct entry *e)
{
    watch(s, e, false);
    e->handover.state = HANDOVER_NONE;
    e->handover.limit = 0;
}

void handover_stopped(const struct supervise *s, struct entry *e)
{
    if (e->handover.state == HANDOVER_FREE) {
        watch(s, e, false);
        e->handover.domid = e->domid;
    } else if (e->handover.state != HANDOVER_NONE) {
        end(s, e);
    }
}

/* It serves on; whatever it had let go of already, it takes up itself. */
static void cancel(struct supervise *s, struct entry *e)
{
    (void)!ask(s, e, 0);
    end(s, e);
    e->ready = true;
    supervise_say("%s: not restarted: it has not let go of its guests' devices in %llu s, and goes "
                  "on",
                  e->config->name, DETACH_TIME / SECOND);
}

static bool asked_step(struct supervise *s, struct entry *e)
{
    if (is_said(s, e, "detached", e->handover.asked)) {
        e->handover.state = HANDOVER_FREE;
        e->handover.limit = clock_now() + POWEROFF_TIME;
        /* So that its disks' own caches are emptied; if it cannot, that is tried by the next. */
        (void)!store_write(s->store, STORE_TX_NONE, "poweroff", CONTROL "shutdown", e->domid);
        return true;
    }
    if (clock_now() < e->handover.limit)
        return false;
    cancel(s, e);
    return true;
}

/* ---- coming back -------------------------------------------------------------------------------
 */

static int restore_device(struct supervise *s, const struct entry *e, const struct entry *user,
                          size_t index)
{
    struct bulkhead_pair pair = {.domid = user->domid, .peer = e->domid};
    int rc = hcall_domain_pair(&pair);

    return rc < 0
               ? rc
               : nodes_restore(s->store, config_served(user->config, index), user->domid, e->domid);
}

void handover_restore(struct supervise *s, struct entry *e)
{
    if (e->handover.state != HANDOVER_FREE)
        return;
    FOR_EACH_USER(s, e->domid, user, index)
    {
        const struct entry *u = s->entries[user];
        char label[CONFIG_LABEL_MAX];
        int rc = restore_device(s, e, u, index);

        if (rc < 0)
            entry_complain(s, u, config_served(u->config, index)->line,
                           "its %s is lost with the restart of %s: %s",
                           config_served_label(config_served(u->config, index), label),
                           e->config->name, strerror(-rc));
    }
}

void handover_started(struct entry *e)
{
    if (e->handover.state != HANDOVER_FREE)
        return;
    e->handover.state = HANDOVER_BACK;
    e->handover.limit = clock_now() + BACK_TIME;
}

/* Whoever has told its rings has them served again. */
static bool device_is_back(const struct supervise *s, const struct entry *user, size_t index)
{
    char path[NODES_PATH_MAX];
    uint64_t front = 0, back = 0;

    nodes_front_path(config_served(user->config, index), user->domid, path);
    if (store_read_number(s->store, STORE_TX_NONE, &front, "%s/state", path) < 0 ||
        (front != XenbusStateInitialised && front != XenbusStateConnected))
        return true;
    entry_backend_path(user, index, path);
    return store_read_number(s->store, STORE_TX_NONE, &back, "%s/state", path) >= 0 &&
           back == XenbusStateConnected;
}

static bool back_step(struct supervise *s, struct entry *e)
{
    uint64_t now = clock_now();
    uint64_t took = now - e->handover.begun;
    bool late = now >= e->handover.limit;
    char label[CONFIG_LABEL_MAX];

    FOR_EACH_USER(s, e->domid, user, index)
    {
        const struct entry *u = s->entries[user];

        if (device_is_back(s, u, index))
            continue;
        if (!late)
            return false;
        supervise_say("%s: its %s has not come back with %s: the latter's console says why",
                      u->config->name, config_served_label(config_served(u->config, index), label),
                      e->config->name);
    }
    end(s, e);
    if (!late)
        supervise_say("%s: restarted; its guests waited %llu.%llu s", e->config->name,
                      took / SECOND, took / (100 * MS) % 10);
    return true;
}

/* ---- one step ----------------------------------------------------------------------------------
 */

bool handover_step(struct supervise *s, struct entry *e, int64_t flags)
{
    bool ended = flags < 0 || ((uint64_t)flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) != 0;

    if (e->handover.state == HANDOVER_FREE) {
        if (!ended && clock_now() < e->handover.limit)
            return false;
        supervise_stop(s, e, NEXT_RESTART);
        return true;
    }
    /* It may have died of what it was asked, with requests begun. */
    if (ended) {
        end(s, e);
        return false;
    }
    return e->handover.state == HANDOVER_ASKED ? asked_step(s, e) : back_step(s, e);
}

uint64_t handover_due(const struct entry *e)
{
    return e->handover.limit ? e->handover.limit : EVENT_FOREVER;
}
