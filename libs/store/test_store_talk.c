/* Clients and server in one process, over rings and event channels. */
#include "store_client.h"
#include "store_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/hvm.h>
#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>

#include "check.h"
#include "fake_hv.h"

#define STORE 7 /* the store's own domain */

static struct store_service *service;
static struct xenstore_domain_interface *pages[FAKE_DOMAINS];
static evtchn_port_t ports[FAKE_DOMAINS];
static struct store_client control;
static struct store_client guest;

/* What the builder does for a domain. */
static void build(domid_t domid)
{
    domid_t before = fake_enter(domid);

    pages[domid] = memory_pages_alloc(1);
    ports[domid] = fake_port(domid, STORE);
    fake_grant(domid, GNTTAB_RESERVED_XENSTORE, STORE, pages[domid], false);
    fake_param(domid, HVM_PARAM_STORE_PFN, memory_gfn(pages[domid]));
    fake_param(domid, HVM_PARAM_STORE_EVTCHN, ports[domid]);
    (void)fake_enter(before);
}

/* The store's main loop, until it would sleep. */
static bool run_store(void *context)
{
    bool any = false;
    evtchn_port_t port;
    domid_t before = fake_enter(STORE);

    (void)context;
    while ((port = event_next()) != EVENT_NONE) {
        any = true;
        service_event(service, port);
        while (service_turn(service))
            ;
    }
    (void)fake_enter(before);
    return any;
}

static void begin(void)
{
    fake_reset();
    fake_idle(run_store, NULL);
    build(0);
    build(1);
    (void)fake_enter(STORE);
    service = service_create(&store_limits_default);
    EXPECT(service_open(service, 0, ports[0], true) == 0);
    (void)fake_enter(0);
    store_open(&control, pages[0], ports[0]);
    EXPECT(store_mkdir(&control, 0, "/local/domain/1") == 0);
    struct store_perm perm = {1, 'n'};

    EXPECT(store_set_perms(&control, 0, &perm, 1, "/local/domain/%u", 1) == 0);
    EXPECT(store_introduce(&control, 1, 0, ports[1], false) == 0);
    (void)fake_enter(1);
    EXPECT(store_open_own(&guest) == 0);
}

static void end(void)
{
    (void)fake_enter(0);
    store_close(&control);
    (void)fake_enter(1);
    store_close(&guest);
    (void)fake_enter(STORE);
    EXPECT(server_is_consistent(service_server(service)));
    service_destroy(service);
    EXPECT(fake_mappings(STORE) == 0);
}

TEST(a_guest_and_its_home)
{
    char value[32];
    uint64_t number = 0;

    begin();
    EXPECT(store_write(&guest, 0, "hello", "data/%s", "x") == 0);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "data/x") == 5);
    EXPECT(strcmp(value, "hello") == 0);
    EXPECT(store_read(&guest, 0, value, 5, "data/x") == -XEN_E2BIG);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_ENOENT);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "/tool") == -XEN_EACCES);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "a//b") == -XEN_EINVAL);
    EXPECT(store_write_number(&guest, 0, 12345, "n") == 0);
    EXPECT(store_read_number(&guest, 0, &number, "n") == 0 && number == 12345);
    EXPECT(store_read_number(&guest, 0, &number, "data/x") == -XEN_EINVAL);
    EXPECT(store_exists(&guest, 0, "n") == 1 && store_exists(&guest, 0, "m") == 0);
    EXPECT(store_remove(&guest, 0, "n") == 0 && store_exists(&guest, 0, "n") == 0);
    EXPECT(store_introduce(&guest, 2, 0, 9, false) == -XEN_EACCES);
    end();
}

TEST(lists_and_permissions)
{
    char names[64];
    struct store_perm perms[3] = {{1, 'n'}, {2, 'r'}, {3, 'b'}};
    struct store_perm got[3];

    begin();
    EXPECT(store_mkdir(&guest, 0, "d/one") == 0 && store_mkdir(&guest, 0, "d/two") == 0);
    EXPECT(store_list(&guest, 0, names, sizeof(names), "d") == 2);
    EXPECT(strcmp(names, "one") == 0 && strcmp(store_next_name(names), "two") == 0);
    EXPECT(store_list(&guest, 0, names, 5, "d") == -XEN_E2BIG);
    EXPECT(store_list(&guest, 0, names, sizeof(names), "d/one") == 0);
    EXPECT(store_set_perms(&guest, 0, perms, 3, "d") == 0);
    EXPECT(store_get_perms(&guest, 0, got, 3, "d") == 3);
    EXPECT(got[2].domid == 3 && got[2].letter == 'b' && got[0].letter == 'n');
    EXPECT(store_get_perms(&guest, 0, got, 2, "d") == -XEN_E2BIG);
    end();
}

TEST(long_values_and_lists_cross_small_rings)
{
    static char big[4097];
    static char names[32768];
    static char back[5000];

    begin();
    (void)fake_enter(0);
    memset(big, 'b', 4000);
    EXPECT(store_write(&control, 0, big, "/big") == 0);
    EXPECT(store_read(&control, 0, back, sizeof(back), "/big") == 4000);
    EXPECT(strcmp(big, back) == 0);
    memset(big, 'b', 4096);
    EXPECT(store_write(&control, 0, big, "/big") == -XEN_E2BIG);
    for (unsigned i = 0; i < 300; i++)
        EXPECT(store_mkdir(&control, 0, "/list/a-rather-long-name-%u", i) == 0);
    EXPECT(store_list(&control, 0, names, 1000, "/list") == -XEN_E2BIG);
    EXPECT(store_list(&control, 0, names, sizeof(names), "/list") == 300);
    EXPECT(strcmp(names, "a-rather-long-name-0") == 0);
    end();
}

TEST(many_at_once)
{
    static char big[3000];
    char values[40][16];
    struct store_pair pairs[42];
    struct store_want wants[42];
    char names[40][8];

    begin();
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%u", i);
        pairs[i] = (struct store_pair){names[i], names[39 - i]};
        wants[i] = (struct store_want){names[i], values[i], sizeof(values[i]), 1};
    }
    memset(big, 'x', 1500);
    pairs[20].value = big;
    pairs[40] = (struct store_pair){"bad//path", "x"};
    pairs[41] = (struct store_pair){"last", "42"};
    unsigned before = fake_effects(STORE);

    EXPECT(store_write_all(&guest, 0, pairs, 42, "device/%s", "vbd") == -XEN_EINVAL);
    wants[40] = (struct store_want){"absent", values[0], 16, 1};
    wants[41] = (struct store_want){"last", values[1], 16, 1};
    EXPECT(store_read_all(&guest, 0, wants, 40, "device/vbd") == 0);
    EXPECT(strcmp(values[3], "n36") == 0 && wants[3].result == 3);
    EXPECT(wants[20].result == -XEN_E2BIG);
    EXPECT(store_read_all(&guest, 0, &wants[40], 2, "device/vbd") == 0);
    EXPECT(wants[40].result == -XEN_ENOENT && wants[41].result == 2);
    EXPECT(strcmp(values[1], "42") == 0);
    EXPECT(fake_effects(STORE) > before);
    end();
}

/* The other side changes the number that the body read, the first time. */
static int add_one(struct store_client *c, uint32_t tx, void *context)
{
    unsigned *tries = context;
    uint64_t n = 0;
    int error = store_read_number(c, tx, &n, "n");

    if (error != 0)
        return error;
    if ((*tries)++ == 0) {
        (void)fake_enter(0);
        EXPECT(store_write_number(&control, 0, 10, "/local/domain/1/n") == 0);
        (void)fake_enter(1);
    }
    return store_write_number(c, tx, n + 1, "n");
}

static int give_up(struct store_client *c, uint32_t tx, void *context)
{
    (void)context;
    EXPECT(store_write(c, tx, "999", "n") == 0);
    return -XEN_EBUSY;
}

TEST(transactions_try_again)
{
    unsigned tries = 0;
    uint64_t n = 0;

    begin();
    EXPECT(store_write_number(&guest, 0, 1, "n") == 0);
    EXPECT(store_transaction(&guest, add_one, &tries) == 0);
    EXPECT(tries == 2);
    EXPECT(store_read_number(&guest, 0, &n, "n") == 0 && n == 11);
    EXPECT(store_transaction(&guest, give_up, NULL) == -XEN_EBUSY);
    EXPECT(store_read_number(&guest, 0, &n, "n") == 0 && n == 11);
    end();
}

TEST(events_between_answers_are_kept)
{
    const struct store_event *event;
    char value[8];

    begin();
    EXPECT(store_watch(&guest, "token", "control/%s", "shutdown") == 0);
    (void)fake_enter(0);
    EXPECT(store_write(&control, 0, "poweroff", "/local/domain/1/control/shutdown") == 0);
    (void)fake_enter(1);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_ENOENT);
    /* The first event and the change spell the same: one of them is enough. */
    event = store_event(&guest);
    EXPECT(event && strcmp(event->path, "control/shutdown") == 0);
    EXPECT(event && strcmp(event->token, "token") == 0);
    EXPECT(store_event(&guest) == NULL);
    EXPECT(store_event_wait(&guest, 5000000000) == NULL);
    (void)fake_enter(0);
    EXPECT(store_remove(&control, 0, "/local/domain/1/control") == 0);
    (void)fake_enter(1);
    event = store_event_wait(&guest, EVENT_FOREVER);
    EXPECT(event && strcmp(event->path, "control/shutdown") == 0);
    EXPECT(store_unwatch(&guest, "token", "control/shutdown") == 0);
    EXPECT(store_unwatch(&guest, "token", "control/shutdown") == -XEN_ENOENT);
    end();
}

TEST(waiting_leaves_other_ports_alone)
{
    char value[8];

    begin();
    (void)fake_enter(2);
    struct evtchn_bind_interdomain bind = {.remote_dom = 1, .remote_port = fake_port(1, 2)};

    EXPECT(hcall_event_bind_interdomain(&bind) == 0);
    (void)fake_enter(1);
    event_open(bind.remote_port);
    (void)fake_enter(2);
    EXPECT(hcall_event_send(&(struct evtchn_send){bind.local_port}) == 0);
    (void)fake_enter(1);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_ENOENT);
    EXPECT(event_next() == bind.remote_port);
    end();
}

TEST(domains_come_and_go)
{
    begin();
    EXPECT(store_write(&guest, 0, "1", "key") == 0);
    (void)fake_enter(0);
    EXPECT(store_is_introduced(&control, 1) == 1 && store_is_introduced(&control, 2) == 0);
    EXPECT(store_watch(&control, "gone", "@releaseDomain") == 0);
    EXPECT(store_release(&control, 1) == 0);
    EXPECT(store_release(&control, 1) == -XEN_ENOENT);
    EXPECT(fake_mappings(STORE) == 1);
    EXPECT(store_is_introduced(&control, 1) == 0);
    /* No such grant, no such port. */
    EXPECT(store_introduce(&control, 3, 0, 1, false) == -XEN_EINVAL);
    EXPECT(store_introduce(&control, 1, 0, 77, false) == -XEN_EINVAL);
    EXPECT(fake_mappings(STORE) == 1);
    EXPECT(store_introduce(&control, 1, 0, ports[1], false) == 0);
    /* Again, as after a restart in place: watches of the predecessor are gone. */
    (void)fake_enter(1);
    store_close(&guest);
    EXPECT(store_open_own(&guest) == 0);
    EXPECT(store_exists(&guest, 0, "key") == -XEN_EACCES);
    EXPECT(store_watch(&guest, "t", "x") == 0);
    (void)fake_enter(0);
    memset(pages[1], 0, 4096);
    EXPECT(store_introduce(&control, 1, 0, ports[1], false) == 0);
    (void)fake_enter(1);
    store_close(&guest);
    EXPECT(store_open_own(&guest) == 0);
    EXPECT(store_unwatch(&guest, "t", "x") == -XEN_ENOENT);
    end();
}

TEST(broken_peers_are_cut_off)
{
    char value[8];

    begin();
    pages[1]->req_prod += 1025;
    EXPECT(hcall_event_send(&(struct evtchn_send){ports[1]}) == 0);
    EXPECT(run_store(NULL));
    EXPECT(pages[1]->error == XENSTORE_ERROR_RINGIDX);
    EXPECT(fake_log_count() == 1);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_EIO);
    EXPECT(hcall_event_send(&(struct evtchn_send){ports[1]}) == 0);
    (void)run_store(NULL);
    EXPECT(fake_log_count() == 1);
    /* Others do not notice; and it may start anew. */
    (void)fake_enter(0);
    EXPECT(store_exists(&control, 0, "/local") == 1);
    (void)fake_enter(1);
    pages[1]->connection = XENSTORE_RECONNECT;
    EXPECT(hcall_event_send(&(struct evtchn_send){ports[1]}) == 0);
    (void)run_store(NULL);
    EXPECT(pages[1]->connection == XENSTORE_CONNECTED && pages[1]->error == 0);
    store_close(&guest);
    EXPECT(store_open_own(&guest) == 0);
    EXPECT(store_write(&guest, 0, "x", "key") == 0);
    /* A message that says it is longer than messages are. */
    struct xsd_sockmsg header = {XS_READ, 1, 0, STORE_PAYLOAD_MAX + 1};

    EXPECT(ring_writer_put(&guest.out, &header, sizeof(header)) == sizeof(header));
    EXPECT(hcall_event_send(&(struct evtchn_send){ports[1]}) == 0);
    (void)run_store(NULL);
    EXPECT(pages[1]->error == XENSTORE_ERROR_PROTO);
    EXPECT(fake_log_count() == 1);
    end();
}

/*
 * The control domain dies at some byte of a request, with watches and transactions.
 * Its next life begins with none of that, and the guest notices nothing.
 */
TEST(a_client_that_died_begins_anew)
{
    struct xsd_sockmsg header = {XS_WRITE, 5, 0, 20};
    static struct store_client last;
    uint32_t tx;

    for (uint32_t lost = 0; lost <= 5000; lost += 5000) {
        begin();
        (void)fake_enter(0);
        EXPECT(store_watch(&control, "t", "/local") == 0 && store_begin(&control, &tx) == 0);
        EXPECT(store_write(&control, tx, "x", "/y") == 0);
        EXPECT(ring_writer_put(&control.out, &header, 7) == 7);
        (void)run_store(NULL);
        pages[0]->rsp_cons += lost; /* it may have written anywhere, too */
        last = control;
        EXPECT(store_reopen(&control, pages[0], ports[0], NULL) == 0);
        EXPECT(pages[0]->error == XENSTORE_ERROR_NONE);
        EXPECT(store_unwatch(&control, "t", "/local") == -XEN_ENOENT);
        EXPECT(store_end(&control, tx, true) == -XEN_ENOENT);
        EXPECT(store_exists(&control, 0, "/y") == 0);
        EXPECT(store_write(&control, 0, "x", "/local/domain/1/key") == 0);
        (void)fake_enter(1);
        EXPECT(store_exists(&guest, 0, "key") == 1);
        store_close(&last);
        end();
    }
}

/* What a domain asked for before it broke its ring is seen to, without another event. */
TEST(the_last_request_counts)
{
    struct {
        struct xsd_sockmsg header;
        char payload[27];
    } message = {{XS_WRITE, 5, 0, 27}, "/local/domain/1/control/x\0"};

    begin();
    EXPECT(store_watch(&guest, "t", "control") == 0);
    EXPECT(store_event(&guest) != NULL && store_event(&guest) == NULL);
    (void)fake_enter(0);
    EXPECT(ring_writer_put(&control.out, &message, 16 + 27) == 16 + 27);
    /* The answer will not fit between these. */
    pages[0]->rsp_cons += 5000;
    EXPECT(hcall_event_send(&(struct evtchn_send){ports[0]}) == 0);
    EXPECT(run_store(NULL));
    EXPECT(pages[0]->error == XENSTORE_ERROR_RINGIDX);
    (void)fake_enter(1);
    const struct store_event *event = store_event(&guest);

    EXPECT(event && strcmp(event->path, "control/x") == 0);
    end();
}

/* Bytes that come one at a time, each with its event. */
TEST(messages_in_pieces)
{
    static const char text[] = "key\0value";
    struct {
        struct xsd_sockmsg header;
        char payload[9];
    } message = {{XS_WRITE, 5, 0, 9}, {0}};

    begin();
    memcpy(message.payload, text, 9);
    for (unsigned i = 0; i < 25; i++) {
        EXPECT(ring_writer_put(&guest.out, (char *)&message + i, 1) == 1);
        EXPECT(hcall_event_send(&(struct evtchn_send){ports[1]}) == 0);
        (void)run_store(NULL);
        EXPECT(ring_reader_count(&guest.in) == (i == 24 ? 19 : 0));
    }
    end();
}

/* The store answers nonsense: the client notices, and does not read beyond. */
TEST(clients_do_not_trust_the_store)
{
    struct xsd_sockmsg header = {XS_READ, 999, 0, 0};
    struct ring_writer rsp;
    char value[8];

    begin();
    ring_writer_init(&rsp, pages[1]->rsp, XENSTORE_RING_SIZE, &pages[1]->rsp_prod,
                     &pages[1]->rsp_cons);
    EXPECT(ring_writer_put(&rsp, &header, sizeof(header)) == sizeof(header));
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_EIO);
    EXPECT(store_read(&guest, 0, value, sizeof(value), "none") == -XEN_EIO);
    (void)fake_enter(0);
    pages[0]->rsp_prod = pages[0]->rsp_cons + 1025;
    EXPECT(store_exists(&control, 0, "/local") == -XEN_EIO);
    end();
}
