/*
 * The store domain: serves the tree by which domains find each other. Started
 * with "control=DOMID:PORT", the connection of the domain that may do everything;
 * the others come by its requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <store_service.h>
#include <store_wire.h>

/* Events taken between two turns; peers may send without end. */
#define EVENTS_PER_TURN 64u

/* The control domain and its port from "DOMID:PORT". */
static bool is_connection(const char *text, domid_t *domid, evtchn_port_t *port)
{
    const char *colon = strchr(text, ':');
    char digits[8];
    uint64_t a;
    uint64_t b;

    if (!colon || (size_t)(colon - text) >= sizeof(digits))
        return false;
    memcpy(digits, text, (size_t)(colon - text));
    digits[colon - text] = 0;
    if (store_number(digits, DOMID_FIRST_RESERVED - 1, &a) != 0 ||
        store_number(colon + 1, EVENT_PORTS - 1, &b) != 0)
        return false;
    *domid = (domid_t)a;
    *port = (evtchn_port_t)b;
    return true;
}

/*
 * The control domain's connection is there already if a last life left it; the
 * others', too.
 */
static int open_control(struct store_service *service, int argc, char **argv)
{
    static const char option[] = "control=";
    domid_t domid;
    evtchn_port_t port;

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], option, sizeof(option) - 1) == 0 &&
            is_connection(argv[i] + sizeof(option) - 1, &domid, &port)) {
            void *area = memory_survivor(LAYOUT_LARGE_SURVIVOR_SIZE);

            (void)service_keep(service, area, LAYOUT_LARGE_SURVIVOR_SIZE, domid);
            return service_serves(service, domid) ? 0 : service_open(service, domid, port, true);
        }
    return -XEN_EINVAL;
}

int main(int argc, char **argv)
{
    struct store_service *service = service_create(&store_limits_default);
    int error = service ? open_control(service, argc, argv) : -XEN_ENOMEM;
    bool more = true;

    if (error != 0) {
        log_line("no connection to the control domain (error %d); control=DOMID:PORT names it",
                 -error);
        return EXIT_FAILURE;
    }
    for (;;) {
        evtchn_port_t port = more ? event_next() : event_wait(EVENT_FOREVER);

        /* The next life has room for what there is: it is no more than the limits allow. */
        if (memory_is_used_up()) {
            log_line("out of memory: not a page is free");
            return EXIT_FAILURE;
        }
        for (unsigned n = 0; port != EVENT_NONE; n++) {
            service_event(service, port);
            port = n < EVENTS_PER_TURN ? event_next() : EVENT_NONE;
        }
        more = service_turn(service);
    }
}
