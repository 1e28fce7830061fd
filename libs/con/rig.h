/* A console service among pretend domains, and stand-ins for the core's console calls. */
#ifndef CON_RIG_H
#define CON_RIG_H

#include "con_hub.h"

#include <stdlib.h>
#include <string.h>

#include <fake_hv.h>
#include <hcall.h>
#include <rt/memory.h>

#define RIG_SERVICE 1u
#define RIG_GUESTS  3u /* domains 2, 3 and 4 */
#define RIG_SHOWN   16384u

struct rig_guest {
    domid_t domid;
    struct xencons_interface *page;
    evtchn_port_t port;
    char shown[RIG_SHOWN]; /* what the core was given for it, live; then replayed */
    size_t shown_len;
    char replayed[RIG_SHOWN];
    size_t replayed_len;
};

static struct con_keep rig_keep;

static struct rig {
    struct con_hub hub;
    struct rig_guest guests[RIG_GUESTS];
    domid_t attached;
    uint32_t session;
    char typed[1024];
    size_t typed_len;
} rig;

static struct rig_guest *rig_guest(domid_t domid)
{
    return &rig.guests[(domid - 2u) % RIG_GUESTS];
}

int hcall_console_put(struct bulkhead_console_put *arg)
{
    struct rig_guest *g = rig_guest(arg->domid);
    const char *bytes = (const char *)(uintptr_t)arg->buffer;
    int replay = (arg->flags & BULKHEAD_CONSOLE_REPLAY) != 0;
    char *to = replay ? g->replayed : g->shown;
    size_t *len = replay ? &g->replayed_len : &g->shown_len;

    fake_effect();
    if (arg->len > 4096)
        return -XEN_EINVAL;
    for (size_t i = 0; i < arg->len; i++)
        to[(*len)++ % RIG_SHOWN] = bytes[i];
    return 0;
}

int hcall_console_get(struct bulkhead_console_get *arg)
{
    size_t n = arg->len < rig.typed_len ? (size_t)arg->len : rig.typed_len;

    memcpy((char *)(uintptr_t)arg->buffer, rig.typed, n);
    memmove(rig.typed, rig.typed + n, rig.typed_len - n);
    rig.typed_len -= n;
    arg->len = n;
    arg->domid = rig.attached;
    arg->session = rig.session;
    return 0;
}

static void rig_guest_start(unsigned i)
{
    struct rig_guest *g = &rig.guests[i];

    g->domid = (domid_t)(2 + i);
    fake_enter(g->domid);
    g->page = memory_pages_alloc(1);
    memset(g->page, 0, sizeof(*g->page));
    fake_grant(g->domid, GNTTAB_RESERVED_CONSOLE, RIG_SERVICE, g->page, false);
    g->port = fake_port(g->domid, RIG_SERVICE);
    fake_enter(RIG_SERVICE);
}

static void rig_start(void)
{
    fake_reset();
    memset(&rig, 0, sizeof(rig));
    rig.attached = DOMID_INVALID;
    fake_enter(RIG_SERVICE);
    memset(&rig_keep, 0, sizeof(rig_keep));
    con_hub_init(&rig.hub, &rig_keep);
    for (unsigned i = 0; i < RIG_GUESTS; i++)
        rig_guest_start(i);
}

static void rig_stop(void)
{
    for (unsigned i = 0; i < RIG_GUESTS; i++)
        con_hub_remove(&rig.hub, (domid_t)(2 + i));
}

/* The service dies; what it had is left lying, but for the tests' sake not lost. */
static void rig_die(void)
{
    fake_destroy(RIG_SERVICE);
    fake_enter(RIG_SERVICE);
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++) {
        if (!rig.hub.clients[i])
            continue;
        memory_space_free(rig.hub.clients[i]->space, 1);
        free(rig.hub.clients[i]);
    }
}

/* The service takes its events and works until there is nothing to do. */
static unsigned rig_run(void)
{
    evtchn_port_t port;
    unsigned turns = 0;

    fake_enter(RIG_SERVICE);
    do {
        while ((port = event_next()) != EVENT_NONE)
            (void)con_hub_event(&rig.hub, port);
        turns++;
    } while (con_hub_turn(&rig.hub) && turns < 1000);
    return turns;
}

#endif
