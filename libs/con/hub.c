/* All consoles: output by turns, input to whoever is attached. */
#include "con_hub.h"

#include <stdlib.h>
#include <string.h>

#include <hcall.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <shm.h>

#define PUT_MAX 4096u /* the core's limit of one call */

void con_hub_init(struct con_hub *hub, struct con_keep *keep)
{
    struct con_keep_session s = con_keep_session(keep);

    *hub = (struct con_hub){.keep = keep,
                            .input = true,
                            .session = s.session,
                            .attached = s.attached,
                            .replaying = s.replaying,
                            .at = shm_read64(&keep->at)};
}

/* A next life goes on with the session as it is now. */
static void keep_session(const struct con_hub *hub)
{
    con_keep_set_session(hub->keep,
                         (struct con_keep_session){hub->session, hub->attached, hub->replaying});
}

static struct con_client **find(struct con_hub *hub, domid_t domid)
{
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (hub->clients[i] && hub->clients[i]->domid == domid)
            return &hub->clients[i];
    return NULL;
}

static void show(domid_t domid, uint32_t flags, const char *bytes, size_t len)
{
    struct bulkhead_console_put put = {
        .domid = domid, .flags = flags, .buffer = (uint64_t)(uintptr_t)bytes, .len = len};

    if (hcall_console_put(&put) < 0)
        return; /* the guest has gone: its history is all that is left of it */
}

/* ---- replay --------------------------------------------------------------------------------- */

static bool is_replaying(const struct con_hub *hub, const struct con_client *c)
{
    return hub->replaying && hub->attached == c->domid;
}

static void replay_end(struct con_hub *hub)
{
    hub->replaying = false;
    keep_session(hub);
}

static void replay_turn(struct con_hub *hub)
{
    struct con_client **slot = find(hub, hub->attached);
    char bytes[PUT_MAX];

    if (!slot) {
        replay_end(hub);
        return;
    }

    const struct con_history *history = &(*slot)->keep->history;
    size_t n = con_history_read(history, &hub->at, bytes, sizeof(bytes));

    if (n > 0)
        show(hub->attached, BULKHEAD_CONSOLE_REPLAY, bytes, n);
    shm_write64(&hub->keep->at, hub->at);
    if (n == 0)
        replay_end(hub);
}

static void replay_start(struct con_hub *hub)
{
    struct con_client **slot = find(hub, hub->attached);

    hub->replaying = slot != NULL;
    hub->at = 0;
    shm_write64(&hub->keep->at, 0);
    keep_session(hub);
}

/* ---- one guest ------------------------------------------------------------------------------ */

static void drop(struct con_client *c, const char *why)
{
    log_line("console of domain %u: %s", c->domid, why);
    con_back_disconnect(&c->back);
    c->work = false;
}

/* Shows some output; how many bytes, or negative. They leave the ring last of all: until then
 * the next life would show them. */
static int show_turn(struct con_client *c)
{
    char bytes[CON_TURN];
    int n = con_back_look(&c->back, bytes, sizeof(bytes));

    c->work = n == (int)sizeof(bytes);
    if (n <= 0)
        return n;
    con_history_put(&c->keep->history, bytes, (size_t)n);
    show(c->domid, 0, bytes, (size_t)n);
    con_back_pass(&c->back, (size_t)n);
    return n;
}

static void output_turn(struct con_client *c)
{
    if (show_turn(c) < 0)
        drop(c, "it claims more output than its ring holds");
}

static void typed_turn(struct con_client *c)
{
    if (c->typed_len == 0 || c->back.port == 0)
        return;

    int n = con_back_put(&c->back, c->typed, c->typed_len);

    if (n < 0) {
        drop(c, "it claims more input than its ring holds");
        return;
    }
    c->typed_len -= (size_t)n;
    memmove(c->typed, c->typed + n, c->typed_len);
}

/* What a guest wrote before it went; no more than its ring holds. A replay ends for it. If its
 * memory is gone already, another page is in the ring's place: that is nobody's fault. */
static void drain(struct con_hub *hub, struct con_client *c)
{
    if (is_replaying(hub, c))
        replay_end(hub);
    for (size_t n = 0; n < sizeof(c->back.page->out) && c->back.port != 0; n += CON_TURN)
        if (show_turn(c) <= 0)
            break;
}

static int connect(struct con_client *c, evtchn_port_t remote)
{
    const char *why;
    int status = con_back_connect(&c->back, c->space, c->domid, remote, &why);

    c->remote = remote;
    c->typed_len = 0;
    c->work = status == 0;
    if (status == 0)
        con_keep_connect(c->keep, c->back.out.at, c->again ? sizeof(c->back.page->out) : 0);
    c->again = false;
    if (status < 0)
        log_line("console of domain %u: %s (%d)", c->domid, why, status);
    return status;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static struct con_client *create(struct con_hub *hub, domid_t domid)
{
    bool used[CON_CLIENTS_MAX];

    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        used[i] = hub->clients[i] != NULL;

    int place = con_keep_claim(hub->keep, domid, used);
    struct con_client *c = place < 0 ? NULL : calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->domid = domid;
    c->space = memory_space_alloc(1);
    if (!c->space) {
        free(c);
        return NULL;
    }
    c->keep = &hub->keep->clients[place];
    c->again = true;
    hub->clients[place] = c;
    return c;
}

int con_hub_add(struct con_hub *hub, domid_t domid, evtchn_port_t remote)
{
    struct con_client **slot = find(hub, domid);
    struct con_client *c = slot ? *slot : create(hub, domid);

    if (!c) {
        log_line("console of domain %u: no room for one more", domid);
        return -XEN_ENOMEM;
    }
    if (c->back.port != 0) {
        /* One that was made anew under its old number has a page and a port that are others. */
        bool same = con_back_is_bound(&c->back);

        if (same && c->remote == remote)
            return 0;
        if (same)
            drain(hub, c);
        con_back_disconnect(&c->back);
    }
    return connect(c, remote);
}

void con_hub_remove(struct con_hub *hub, domid_t domid)
{
    struct con_client **slot = find(hub, domid);

    if (!slot)
        return;
    drain(hub, *slot);
    con_back_disconnect(&(*slot)->back);
    memory_space_free((*slot)->space, 1);
    free(*slot);
    *slot = NULL;
    con_keep_drop(hub->keep, (unsigned)(slot - hub->clients));
}

void con_hub_settle(struct con_hub *hub)
{
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (!hub->clients[i])
            con_keep_drop(hub->keep, i);
}

bool con_hub_event(struct con_hub *hub, evtchn_port_t port)
{
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++) {
        struct con_client *c = hub->clients[i];

        if (c && c->back.port != 0 && c->back.port == port) {
            c->work = true;
            return true;
        }
    }
    return false;
}

/* Typed bytes go to their guest; what it does not take in time is lost, as on any line. */
static void input_turn(struct con_hub *hub)
{
    char bytes[CON_TYPED_MAX];
    struct bulkhead_console_get get = {.buffer = (uint64_t)(uintptr_t)bytes, .len = sizeof(bytes)};

    if (hcall_console_get(&get) < 0 || get.len > sizeof(bytes)) {
        hub->input = false;
        return;
    }
    hub->input = get.len == sizeof(bytes);
    if (get.session != hub->session) {
        hub->session = get.session;
        hub->attached = get.domid;
        replay_start(hub);
    }

    struct con_client **slot = find(hub, get.domid);

    if (!slot)
        return;

    struct con_client *c = *slot;
    size_t room = sizeof(c->typed) - c->typed_len;
    size_t n = get.len < room ? get.len : room;

    memcpy(c->typed + c->typed_len, bytes, n);
    c->typed_len += n;
}

bool con_hub_turn(struct con_hub *hub)
{
    if (hub->input)
        input_turn(hub);

    bool more = hub->input;

    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++) {
        struct con_client *c = hub->clients[i];

        if (!c)
            continue;
        typed_turn(c);
        if (c->work && !is_replaying(hub, c))
            output_turn(c);
        more = more || c->work;
    }
    if (hub->replaying)
        replay_turn(hub);
    return more || hub->replaying;
}
