/* One domain's flood is its own trouble: others are served in turn, and memory stays bounded. */
#include "store_service.h"

#include <string.h>

#include <hcall.h>
#include <ring.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "check.h"
#include "fake_hv.h"

#define STORE   7
#define CLIENTS 3 /* 0 is the control domain, 1 floods */

struct client {
    struct xenstore_domain_interface *page;
    struct ring_writer out;
    struct ring_reader in;
    evtchn_port_t port;
};

static struct store_service *service;
static struct client clients[CLIENTS];

static void begin(void)
{
    fake_reset();
    (void)fake_enter(STORE);
    service = service_create(&store_limits_default);
    for (domid_t d = 0; d < CLIENTS; d++) {
        struct client *c = &clients[d];

        (void)fake_enter(d);
        c->page = memory_pages_alloc(1);
        c->port = fake_port(d, STORE);
        fake_grant(d, GNTTAB_RESERVED_XENSTORE, STORE, c->page, false);
        ring_writer_init(&c->out, c->page->req, XENSTORE_RING_SIZE, &c->page->req_prod,
                         &c->page->req_cons);
        ring_reader_init(&c->in, c->page->rsp, XENSTORE_RING_SIZE, &c->page->rsp_prod,
                         &c->page->rsp_cons);
        (void)fake_enter(STORE);
        EXPECT(service_open(service, d, c->port, d == 0) == 0);
    }
}

static void end(void)
{
    (void)fake_enter(STORE);
    EXPECT(server_is_consistent(service_server(service)));
    service_destroy(service);
}

/* One request if it fits as a whole; whether it did. */
static bool ask(domid_t d, enum xsd_sockmsg_type type, const char *payload, uint32_t len)
{
    struct client *c = &clients[d];
    struct xsd_sockmsg header = {type, 1, 0, len};
    domid_t before = fake_enter(d);
    bool fits = ring_writer_room(&c->out) >= (int)(sizeof(header) + len);

    if (fits) {
        (void)ring_writer_put(&c->out, &header, sizeof(header));
        (void)ring_writer_put(&c->out, payload, len);
        (void)hcall_event_send(&(struct evtchn_send){c->port});
    }
    (void)fake_enter(before);
    return fits;
}

/* Throws away all answers; how many bytes they were. */
static unsigned swallow(domid_t d)
{
    char bytes[XENSTORE_RING_SIZE];
    domid_t before = fake_enter(d);
    int got = ring_reader_take(&clients[d].in, bytes, sizeof(bytes));

    (void)hcall_event_send(&(struct evtchn_send){clients[d].port});
    (void)fake_enter(before);
    return got > 0 ? (unsigned)got : 0;
}

/* One round of the main loop. */
static bool round_of_store(void)
{
    evtchn_port_t port;

    (void)fake_enter(STORE);
    while ((port = event_next()) != EVENT_NONE)
        service_event(service, port);
    return service_turn(service);
}

/* A client that asks and never reads stalls itself. */
TEST(who_does_not_read_stands_still)
{
    unsigned sent = 0;

    begin();
    for (; sent < 1000 && ask(1, XS_READ, "key", 4); sent++)
        while (round_of_store())
            ;
    EXPECT(sent > 50 && sent < 200);
    EXPECT(ask(2, XS_READ, "key", 4));
    while (round_of_store())
        ;
    EXPECT(swallow(2) > 0);
    end();
}

/* A ring that is full again after every round delays others by one turn, not by its length. */
TEST(a_flood_is_served_in_turn)
{
    begin();
    for (unsigned i = 0; i < 100; i++) {
        while (ask(1, XS_READ, "key", 4))
            ;
        (void)swallow(1);
        (void)round_of_store();
    }
    (void)swallow(2);
    EXPECT(ask(2, XS_READ, "key", 4));
    (void)round_of_store();
    EXPECT(swallow(2) > 0);
    end();
}

/* Whoever watches everything and reads nothing keeps nobody from writing, and takes its share. */
TEST(a_deaf_watcher_costs_its_share)
{
    static const char watch[] = "/\0t";
    static const char perms[] = "/data\0r0";
    char write[] = "/data/000\0x";
    size_t before;

    begin();
    EXPECT(ask(0, XS_MKDIR, "/data", 6) && ask(0, XS_SET_PERMS, perms, sizeof(perms)));
    EXPECT(ask(1, XS_WATCH, watch, sizeof(watch)));
    while (round_of_store())
        ;
    before = server_bytes(service_server(service), server_domain(service_server(service), 1));
    for (unsigned i = 0; i < 500; i++) {
        (void)swallow(0);
        write[6] = (char)('0' + i / 100);
        write[7] = (char)('0' + i / 10 % 10);
        write[8] = (char)('0' + i % 10);
        EXPECT(ask(0, XS_WRITE, write, sizeof(write) - 1));
        while (round_of_store())
            ;
        EXPECT(swallow(0) > 0);
    }
    EXPECT(server_bytes(service_server(service), server_domain(service_server(service), 1)) -
               before <
           16384);
    end();
}
