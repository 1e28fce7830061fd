/* From a file to a running domain: wait for the backends, build, have the devices opened, unpause.
 */
#include "supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <build/nodes.h>
#include <fault_kind.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/start.h>

#include "record.h"

#define SECOND 1000000000ull

/*
 * So long a backend may take until it has a device, or until it serves at all.
 * One that is not ours may be a system that boots, on a machine that is slow.
 */
#define OPEN_TIME        (60 * SECOND)
#define OPEN_TIME_OTHERS (180 * SECOND)

bool backend_is_live(const struct supervise *s, const struct entry *e, size_t index)
{
    const struct entry *b = supervise_of_config(s, config_served(e->config, index)->backend);

    return b && b->phase == ENTRY_LIVE && !b->dead && b->domid == e->backends[index];
}

/* Not to be started this time. */
static bool give_up(struct supervise *s, struct entry *e)
{
    record_next(s, e, RECORD_FAILED);
    console_move(e->attached, DOMID_SELF);
    e->attached = DOMID_INVALID;
    e->phase = ENTRY_FAILED;
    return true;
}

/* For a backend that is not up yet: 0, or -1 when it has had its time. */
static int wait_for(struct supervise *s, struct entry *e, const struct config_served *served,
                    const struct entry *backend)
{
    bool late =
        backend->phase == ENTRY_LIVE && !backend->again && backend->handover.state == HANDOVER_NONE;

    e->limit = late ? backend->started + OPEN_TIME : 0;
    if (e->limit == 0 || clock_now() < e->limit)
        return 0;
    entry_complain(s, e, served->backend_line,
                   "the backend domain %s runs, but has not come up in %llu s: its console says "
                   "why, or destroy it",
                   backend->config->name, OPEN_TIME / SECOND);
    return -1;
}

/* 1: all backends may be used, 0: not yet, -1: one never will, and it was said. */
static int find_backends(struct supervise *s, struct entry *e)
{
    const struct domain_config *c = e->config;

    for (size_t i = 0; i < config_served_count(c); i++) {
        const struct config_served *served = config_served(c, i);
        const struct entry *b = served->backend ? supervise_of_config(s, served->backend) : NULL;
        char label[CONFIG_LABEL_MAX];

        if (b && b->parked) {
            entry_complain(s, e, served->backend_line,
                           "the backend domain %s of %s is parked: `restart %s` first",
                           b->config->name, config_served_label(served, label), b->config->name);
            return -1;
        }
        if (!b || !entry_is_active(b) || b->dead ||
            (b->phase == ENTRY_CLOSING && b->next != NEXT_RESTART)) {
            entry_complain(s, e, served->backend_line,
                           "the backend domain %s of %s is not running: start it first",
                           b ? b->config->name : "(none)", config_served_label(served, label));
            return -1;
        }
        if (b->phase != ENTRY_LIVE || !b->ready)
            return wait_for(s, e, served, b);
        e->backends[i] = b->domid;
    }
    return 1;
}

/*
 * What our own driver domains are told beyond their file: their functions in the
 * file's order, which of them joins which bridge, whether one that ends comes
 * back, and whether it is to fail when it is told.
 */
const char *entry_command_line(const struct supervise *s, const struct domain_config *c)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof(text), "%s", c->cmdline ? c->cmdline : "");
    bool ordered = strstr(text, "pci=") != NULL; /* whoever writes these words chose himself */

    if (!config_announces(c))
        return text;
    for (size_t i = 0; !ordered && i < c->hostdev_count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " pci=%02x:%02x.%x",
                                 c->hostdevs[i].bus, c->hostdevs[i].slot, c->hostdevs[i].function);
    for (size_t i = 0; i < c->bridge_count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " bridge=%s:%u",
                                 c->bridges[i].name, c->bridges[i].nic);
    if (c->on_crash == CONFIG_RESTART && used < sizeof(text))
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", START_MORTAL);
    if (s->faults_allowed && used < sizeof(text))
        (void)snprintf(text + used, sizeof(text) - used, " %s", FAULT_WORD);
    return text;
}

/* A domain that serves others, or is there to do so. */
static bool serves(const struct supervise *s, const struct domain_config *c)
{
    if (config_is_driver(c) || config_announces(c))
        return true;
    for (size_t i = 0; i < s->count; i++)
        for (size_t n = 0; n < config_served_count(s->entries[i]->config); n++)
            if (config_served(s->entries[i]->config, n)->backend == c)
                return true;
    return false;
}

struct build_order entry_order(const struct supervise *s, const struct entry *e)
{
    bool is_store = e->service && e->domid == s->store_domid;

    return (struct build_order){.domid = e->handover.state == HANDOVER_FREE ? e->handover.domid : 0,
                                .root = s->root,
                                .config = e->config,
                                .kernel = entry_image(e),
                                .backends = e->backends,
                                .store = is_store ? DOMID_INVALID : s->store_domid,
                                .console = e->service ? DOMID_INVALID : s->console_domid,
                                .rights = e->config->rights,
                                .obeys = e->service,
                                .serves = serves(s, e->config)};
}

int entry_open_watch(struct supervise *s, struct entry *e, evtchn_port_t port)
{
    int rc = watch_open(&e->watch, e->domid, port, e->config->watchdog_ms);

    if (rc < 0)
        entry_complain(s, e, e->config->watchdog_line, "the core refused to have it watched: %s",
                       strerror(-rc));
    return rc;
}

static int build(struct supervise *s, struct entry *e)
{
    const struct domain_config *c = e->config;
    struct build_order order = entry_order(s, e);
    /* Large, and built one at a time. */
    static struct build b;
    int rc = build_create(&b, &order);

    if (rc == 0)
        rc = build_fill(&b, entry_command_line(s, c));
    e->domid = b.domid;
    if (rc != 0) {
        entry_complain(s, e, b.error.line, "%s", b.error.text);
    } else if ((rc = entry_open_watch(s, e, b.life_port)) == 0 &&
               (rc = nodes_write(s->store, &b)) != 0) {
        entry_complain(s, e, c->line, "the store refused the domain's nodes: %s", strerror(-rc));
        nodes_remove(s->store, &order, b.domid);
        watch_close(&e->watch);
    }
    if (rc == 0)
        handover_restore(s, e);
    build_close(&b, rc != 0);
    if (rc != 0)
        e->domid = DOMID_INVALID;
    return rc;
}

static uint64_t open_time(const struct domain_config *c)
{
    for (size_t i = 0; i < config_served_count(c); i++)
        if (!config_announces(config_served(c, i)->backend))
            return OPEN_TIME_OTHERS;
    return OPEN_TIME;
}

bool start_step(struct supervise *s, struct entry *e)
{
    int found;

    if (e->deadline > clock_now())
        return false;
    if (config_served_count(e->config) > 0 && !e->backends) {
        e->backends = calloc(config_served_count(e->config), sizeof(*e->backends));
        if (!e->backends)
            return give_up(s, e);
    }
    found = find_backends(s, e);
    if (found == 0)
        return false;
    if (found < 0 || build(s, e) != 0)
        return give_up(s, e);
    record_backends(s, e);
    e->phase = ENTRY_OPENING;
    e->limit = clock_now() + open_time(e->config);
    e->ready = false;
    e->dead = false;
    entry_watch(s, e, true);
    return true;
}

const char *entry_backend_path(const struct entry *e, size_t index, char path[NODES_PATH_MAX])
{
    return nodes_backend_path(config_served(e->config, index), e->domid, e->backends[index], path);
}

/*
 * A stock network back end has taken an interface when it offers features, and
 * then waits for a script to say that the interface is in its bridge. A domain
 * that has such scripts says so by backend-ready; for others we say it.
 */
static int look_at_netback(struct supervise *s, const struct entry *e, size_t index,
                           const char *path)
{
    uint64_t state = 0;
    uint64_t has_scripts = 0;

    if (store_read_number(s->store, STORE_TX_NONE, &state, "%s/state", path) < 0 ||
        state < XenbusStateInitWait || state > XenbusStateConnected)
        return 0;
    if (store_read_number(s->store, STORE_TX_NONE, &has_scripts, "/local/domain/%u/backend-ready",
                          e->backends[index]) >= 0 &&
        has_scripts == 1)
        return 0;
    return store_write(s->store, STORE_TX_NONE, "connected", "%s/hotplug-status", path) >= 0;
}

static const char *what_it_needs(const struct config_served *served)
{
    if (config_announces(served->backend))
        return "its console says why";
    return served->class == CONFIG_DISK
               ? "its kernel needs xen-blkback, and a program that opens disks"
               : "its kernel needs xen-netback";
}

/* Nothing was heard of a device: 0, or -1 when its backend has had its time. */
static int still_opening(struct supervise *s, struct entry *e, const struct config_served *served)
{
    char label[CONFIG_LABEL_MAX];

    if (clock_now() < e->limit)
        return 0;
    entry_complain(s, e, served->backend_line, "%s does not take %s in %llu s: %s",
                   served->backend->name, config_served_label(served, label),
                   open_time(e->config) / SECOND, what_it_needs(served));
    return -1;
}

/* 1: the backend has the device, 0: not yet, -1: it never will, and it was said. */
static int look_at_device(struct supervise *s, struct entry *e, size_t index)
{
    const struct config_served *served = config_served(e->config, index);
    char path[NODES_PATH_MAX];
    char status[32];
    char reason[256];
    int rc;

    if (!backend_is_live(s, e, index)) {
        entry_complain(s, e, served->backend_line, "the backend domain %s died: see dmesg",
                       served->backend->name);
        return -1;
    }
    entry_backend_path(e, index, path);
    rc = store_read(s->store, STORE_TX_NONE, status, sizeof(status), "%s/hotplug-status", path);
    if (rc >= 0 && strcmp(status, "connected") == 0)
        return 1;
    if (rc < 0 && served->class == CONFIG_INTERFACE && !config_announces(served->backend) &&
        look_at_netback(s, e, index, path) > 0)
        return 1;
    if (rc < 0 || strcmp(status, "error") != 0)
        return still_opening(s, e, served);
    rc = store_read(s->store, STORE_TX_NONE, reason, sizeof(reason), "%s/hotplug-error", path);
    entry_complain(s, e, served->source_line, "%s",
                   rc >= 0 ? reason : "the backend cannot open this device: see its log");
    return -1;
}

bool entry_unpause(struct supervise *s, struct entry *e)
{
    int rc = domain_command(e->domid, XEN_DOMCTL_unpausedomain);

    if (rc < 0) {
        entry_complain(s, e, e->config->line, "the core refused to run the domain: %s",
                       strerror(-rc));
        return false;
    }
    e->phase = ENTRY_LIVE;
    e->asked = ENTRY_NOT_ASKED;
    e->started = clock_now();
    e->lives++;
    watch_begin(&e->watch, e->started);
    handover_started(e);
    /* Our own images say when their backends are up; others are taken at their start. */
    e->ready = !config_announces(e->config);
    return true;
}

static bool unpause(struct supervise *s, struct entry *e)
{
    console_move(e->attached, e->domid);
    e->attached = DOMID_INVALID;
    if (!entry_unpause(s, e)) {
        supervise_stop(s, e, NEXT_FAIL);
        return true;
    }
    supervise_say("%s: started (id %u)%s", e->config->name, e->domid, "");
    return true;
}

bool open_step(struct supervise *s, struct entry *e)
{
    for (size_t i = 0; i < config_served_count(e->config); i++) {
        int rc = look_at_device(s, e, i);

        if (rc < 0)
            supervise_stop(s, e, NEXT_FAIL);
        if (rc <= 0)
            return rc < 0;
    }
    return unpause(s, e);
}
