/* The table of domains: finding them, asking for changes, and the round over all of them. */
#include "supervise.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/bulkhead.h>
#include <abi/control.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>

#include "adopt.h"
#include "record.h"

struct entry *supervise_add(struct supervise *s, struct domain_config *config)
{
    struct entry **entries = realloc(s->entries, (s->count + 1) * sizeof(struct entry *));
    struct entry *e;

    if (!entries)
        return NULL;
    s->entries = entries;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->config = config;
    e->domid = DOMID_INVALID;
    e->attached = DOMID_INVALID;
    entries[s->count++] = e;
    return e;
}

static void entry_free(struct entry *e)
{
    free(e->backends);
    upgrade_forget(e);
    evidence_free(e->evidence);
    free(e);
}

void supervise_remove(struct supervise *s, struct entry *entry)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->entries[i] != entry)
            continue;
        entry_free(entry);
        memmove(s->entries + i, s->entries + i + 1, (s->count - i - 1) * sizeof(struct entry *));
        s->count--;
        return;
    }
}

void supervise_fini(struct supervise *s)
{
    for (size_t i = 0; i < s->count; i++)
        entry_free(s->entries[i]);
    free(s->entries);
    s->entries = NULL;
    s->count = 0;
}

struct entry *supervise_find(const struct supervise *s, const char *name)
{
    char *end;
    unsigned long id = strtoul(name, &end, 10);
    bool is_number = *name != 0 && *end == 0;

    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entries[i]->config->name, name) == 0)
            return s->entries[i];
    for (size_t i = 0; is_number && i < s->count; i++)
        if (s->entries[i]->domid != DOMID_INVALID && s->entries[i]->domid == id)
            return s->entries[i];
    return NULL;
}

struct entry *supervise_of_config(const struct supervise *s, const struct domain_config *config)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i]->config == config)
            return s->entries[i];
    return NULL;
}

bool entry_is_active(const struct entry *e)
{
    return e->phase != ENTRY_STOPPED && e->phase != ENTRY_FAILED;
}

bool entry_is_guest(const struct entry *e)
{
    return !e->service && !config_is_driver(e->config) && !config_is_image(e->config);
}

void entry_complain(struct supervise *s, const struct entry *e, unsigned line, const char *format,
                    ...)
{
    char text[320];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    s->failed = true;
    supervise_say("%s:%u: %s", e->config->file, line, text);
}

static void watch(struct supervise *s, const char *path, bool on)
{
    /* A watch that cannot be set only costs time: whoever waits looks again at its deadline. */
    if (on)
        (void)!store_watch(s->store, "supervise", "%s", path);
    else
        (void)!store_unwatch(s->store, "supervise", "%s", path);
}

void entry_watch(struct supervise *s, const struct entry *e, bool on)
{
    char path[NODES_PATH_MAX];

    for (size_t i = 0; i < config_served_count(e->config); i++)
        watch(s, entry_backend_path(e, i, path), on);
    if (!config_announces(e->config))
        return;
    (void)snprintf(path, sizeof(path), "/local/domain/%u/backend-ready", e->domid);
    watch(s, path, on);
}

int domain_info(domid_t domid, struct xen_domctl_getdomaininfo *info)
{
    struct xen_sysctl op;
    int rc;

    memset(&op, 0, sizeof(op));
    op.cmd = XEN_SYSCTL_getdomaininfolist;
    op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    op.u.getdomaininfolist.first_domain = domid;
    op.u.getdomaininfolist.max_domains = 1;
    set_xen_guest_handle(op.u.getdomaininfolist.buffer, info);
    rc = hcall_control_domain_list(&op);
    /* When this one is gone it gives the next. */
    if (rc < 0 || op.u.getdomaininfolist.num_domains == 0 || info->domain != domid)
        return -ESRCH;
    return 0;
}

int64_t domain_flags(domid_t domid)
{
    struct xen_domctl_getdomaininfo info;

    return domain_info(domid, &info) < 0 ? -ESRCH : (int64_t)info.flags;
}

int64_t entry_flags(const struct supervise *s, const struct entry *e)
{
    for (size_t i = 0; s->infos && i < s->info_count; i++)
        if (s->infos[i].domain == e->domid)
            return s->infos[i].flags;
    return domain_flags(e->domid);
}

void supervise_unlist(struct supervise *s)
{
    free(s->infos);
    s->infos = NULL;
}

int domain_command(domid_t domid, uint32_t command)
{
    struct xen_domctl op;

    memset(&op, 0, sizeof(op));
    op.cmd = command;
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = domid;
    switch (command) {
    case XEN_DOMCTL_pausedomain: return hcall_control_pause(&op);
    case XEN_DOMCTL_unpausedomain: return hcall_control_unpause(&op);
    case XEN_DOMCTL_sendtrigger:
        op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
        return hcall_control_trigger(&op);
    default: return -EINVAL;
    }
}

void console_move(domid_t from, domid_t to)
{
    struct bulkhead_console_attach attach = {.domid = DOMID_INVALID};

    if (from == DOMID_INVALID || hcall_console_attach(&attach) < 0 || attach.domid != from)
        return;
    attach.domid = to;
    (void)hcall_console_attach(&attach);
}

void supervise_start(struct supervise *s, struct entry *entry)
{
    if (entry_is_active(entry))
        return;
    record_next(s, entry, RECORD_RUNS);
    entry->phase = ENTRY_WAITING;
    entry->deadline = 0;
    entry->wanted = true;
    entry->complained = false;
    budget_clear(&entry->budget);
}

static bool step(struct supervise *s, struct entry *e)
{
    if (e->domid == 0 || (e->service && e->phase != ENTRY_LIVE))
        return false;
    switch (e->phase) {
    case ENTRY_WAITING: return start_step(s, e);
    case ENTRY_OPENING: return open_step(s, e);
    case ENTRY_LIVE: return live_step(s, e);
    case ENTRY_CLOSING: return closing_step(s, e);
    case ENTRY_STOPPED:
    case ENTRY_FAILED: break;
    }
    return false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t entry_due(const struct entry *e)
{
    switch (e->phase) {
    case ENTRY_CLOSING: return e->deadline;
    case ENTRY_WAITING:
        if (e->deadline > clock_now())
            return e->deadline;
        break;
    case ENTRY_OPENING: break;
    case ENTRY_LIVE:
        if (e->again)
            return e->again;
        return least(least(e->trial ? e->trial : EVENT_FOREVER, handover_due(e)),
                     e->watch.state == WATCH_OFF || e->dead ? EVENT_FOREVER : e->watch.due);
    default: return EVENT_FOREVER;
    }
    return e->limit ? e->limit : EVENT_FOREVER;
}

/* Steps every entry once. */
static bool look(struct supervise *s)
{
    bool moved = false;

    s->infos = adopt_list(&s->info_count);
    for (size_t i = 0; i < s->count; i++)
        moved |= step(s, s->entries[i]);
    supervise_unlist(s);
    return moved;
}

uint64_t supervise_step(struct supervise *s)
{
    uint64_t deadline = EVENT_FOREVER;

    while (look(s))
        ;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t due = entry_due(s->entries[i]);

        if (due < deadline)
            deadline = due;
    }
    return deadline;
}

bool supervise_is_over(const struct supervise *s)
{
    bool any = s->lost > 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = s->entries[i];

        if (!entry_is_guest(e) || !e->wanted)
            continue;
        if (entry_is_active(e) && !e->dead)
            return false;
        any = true;
    }
    return any;
}
