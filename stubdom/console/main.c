/*
 * The console domain: serves the PV consoles of all guests. Who they are stands
 * in the store below its own home: client/<domid> = "<port>".
 */
#include <stdlib.h>
#include <string.h>

#include <con_hub.h>
#include <hcall.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <store_client.h>

#define NAMES_MAX 4096u

/* What the builder gives it, in toolstack/control/services.c. */
_Static_assert(sizeof(struct con_keep) <= 5u << 20, "histories");

static struct con_hub hub;
static struct store_client store;

static bool is_domid(const char *name, domid_t *domid)
{
    char *end;
    unsigned long v = strtoul(name, &end, 10);

    *domid = (domid_t)v;
    return end != name && *end == 0 && v < DOMID_FIRST_RESERVED;
}

static bool is_listed(const char *names, int count, domid_t domid)
{
    domid_t other;

    for (int i = 0; i < count; i++, names = store_next_name(names))
        if (is_domid(names, &other) && other == domid)
            return true;
    return false;
}

static void add(const char *name)
{
    domid_t domid;
    uint64_t port;
    int rc;

    if (!is_domid(name, &domid))
        return;
    rc = store_read_number(&store, STORE_TX_NONE, &port, "client/%s", name);
    if (rc == -XEN_ENOENT) /* gone since the list was read */
        return;
    if (rc < 0 || port >= EVENT_PORTS) {
        log_line("client/%s is not a port", name);
        return;
    }
    (void)con_hub_add(&hub, domid, (evtchn_port_t)port);
}

/* Makes the consoles served those that the store lists. */
static void follow_store(void)
{
    static char names[NAMES_MAX];
    int count = store_list(&store, STORE_TX_NONE, names, sizeof(names), "client");
    const char *name = names;

    if (count < 0 && count != -XEN_ENOENT) {
        log_line("the list of clients cannot be read (%d)", count);
        return;
    }
    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (hub.clients[i] && !is_listed(names, count, hub.clients[i]->domid))
            con_hub_remove(&hub, hub.clients[i]->domid);
    for (int i = 0; i < count; i++, name = store_next_name(name))
        add(name);
}

/* A last life's histories of those that have gone meanwhile. */
static void begin(void)
{
    con_hub_init(&hub, memory_survivor(sizeof(*hub.keep)));
    follow_store();
    con_hub_settle(&hub);
}

/* Again until nothing is left: reading the list may itself have taken in new events. */
static void take_store_events(void)
{
    bool changed = store_events_lost(&store);

    while (store_event(&store) || changed) {
        while (store_event(&store))
            ;
        follow_store();
        changed = store_events_lost(&store);
    }
}

static evtchn_port_t bind_typed(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_CONSOLE, .vcpu = 0};

    if (hcall_event_bind_virq(&bind) < 0) {
        log_line("the core gives no console input");
        exit(EXIT_FAILURE);
    }
    event_open(bind.port);
    return bind.port;
}

/* As many as there are clients, then it is time for a turn: guests may send without end. */
static void take_ports(evtchn_port_t typed, evtchn_port_t port)
{
    for (unsigned n = 0; port != EVENT_NONE; n++) {
        if (port == typed)
            hub.input = true;
        else
            (void)con_hub_event(&hub, port);
        port = n < CON_CLIENTS_MAX ? event_next() : EVENT_NONE;
    }
}

int main(void)
{
    int status = store_open_own(&store);

    if (status < 0 || (status = store_watch(&store, "clients", "client")) < 0) {
        log_line("the store does not answer (%d)", status);
        return EXIT_FAILURE;
    }
    begin();

    evtchn_port_t typed = bind_typed();
    bool more = true;

    for (;;) {
        take_store_events();
        take_ports(typed, more ? event_next() : event_wait(EVENT_FOREVER));
        more = con_hub_turn(&hub);
        if (memory_is_used_up()) {
            log_line("out of memory: not a page is free");
            return EXIT_FAILURE;
        }
    }
}
