/*
 * Moves of several domains against the store's service: requests whole and in
 * pieces, indices that lie, words that change after they were read, memory that
 * runs out, answers that nobody takes, domains that come, go, die and reconnect,
 * and a store that dies and comes back.
 */
#include <stdlib.h>
#include <string.h>

#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>
#include <store_alloc.h>

#include "fake_hv.h"
#include "moves.h"
#include "store_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct store_service *service;
    struct xenstore_domain_interface *pages[CLIENTS];
    evtchn_port_t ports[CLIENTS];
    unsigned hook_wait; /* reads until one is followed by a change; 0: none */
    uint32_t hook_value;
};

/* What the store leaves to its next life. */
static uint64_t area[(256u << 10) / sizeof(uint64_t)];

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void change(void *context, void *shared, size_t len)
{
    struct world *w = context;

    for (size_t i = 0; w->hook_wait == 1 && i < len; i++)
        ((uint8_t *)shared)[i] ^= (uint8_t)(w->hook_value >> i % 4 * 8);
    if (w->hook_wait > 0)
        w->hook_wait--;
}

static void build(struct world *w, domid_t domid)
{
    (void)fake_enter(domid);
    w->pages[domid] = memory_pages_alloc(1);
    w->ports[domid] = fake_port(domid, STORE);
    fake_grant(domid, GNTTAB_RESERVED_XENSTORE, STORE, w->pages[domid], false);
}

/* As many turns as there are bytes to cause them, and some more: it has to come to an end. */
static void run(struct world *w, unsigned turns)
{
    evtchn_port_t port;
    struct shm_hook hook = {change, NULL, w};

    (void)fake_enter(STORE);
    shm_hook_set(&hook);
    while ((port = event_next()) != EVENT_NONE)
        service_event(w->service, port);
    while (turns-- > 0 && service_turn(w->service))
        ;
    shm_hook_set(NULL);
}

static void kick(const struct world *w, domid_t d)
{
    struct evtchn_send send = {w->ports[d]};

    (void)fake_enter(d);
    (void)hcall_event_send(&send);
}

/* Bytes into the ring as a careless client would: whether there is room or not. */
static void put(struct world *w, domid_t d, const void *bytes, size_t len)
{
    struct xenstore_domain_interface *page = w->pages[d];

    for (size_t i = 0; i < len; i++)
        page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = ((const char *)bytes)[i];
    page->req_prod += (uint32_t)len;
}

static void move_request(struct world *w, struct input *in, domid_t d)
{
    struct message m;

    put(w, d, &m, message_make(&m, in, w->ports));
}

static void move_raw(struct world *w, struct input *in, domid_t d)
{
    uint8_t bytes[64];
    size_t len = next(in) % sizeof(bytes);

    for (size_t i = 0; i < len; i++)
        bytes[i] = next(in);
    put(w, d, bytes, len);
}

static void move_index(struct world *w, struct input *in, domid_t d)
{
    struct xenstore_domain_interface *page = w->pages[d];
    uint32_t *const fields[] = {&page->req_prod, &page->req_cons, &page->rsp_prod, &page->rsp_cons};

    *fields[next(in) & 3] += next_word(in);
}

/* As stubdom/store starts. */
static void begin_life(struct world *w)
{
    (void)fake_enter(STORE);
    store_alloc_fail(0, 0);
    w->service = service_create(&moves_limits);
    check(w->service);
    (void)service_keep(w->service, area, sizeof(area), 0);
    if (!service_serves(w->service, 0))
        check(service_open(w->service, 0, w->ports[0], true) == 0);
}

static void move(struct world *w, struct input *in)
{
    uint8_t op = next(in);
    domid_t d = op >> 4 & 3;

    switch (op & 15) {
    default: move_request(w, in, d); break;
    case 6:
        fake_destroy(STORE);
        (void)fake_enter(STORE);
        service_destroy(w->service);
        begin_life(w);
        break;
    case 7: store_alloc_fail(next(in), next(in) & 3); break;
    case 8: move_raw(w, in, d); break;
    case 9: move_index(w, in, d); break;
    case 10: w->pages[d]->rsp_cons = w->pages[d]->rsp_prod; break;
    case 11: w->pages[d]->rsp_cons += next(in); break;
    case 12: w->pages[d]->connection = next(in); break;
    case 13:
        w->hook_wait = next(in);
        w->hook_value = next_word(in);
        break;
    case 14:
        if (d != 0) {
            fake_destroy(d);
            build(w, d);
        }
        break;
    case 15: memset(w->pages[d], 0, sizeof(*w->pages[d])); break;
    }
    if (!(op & 0x80))
        kick(w, d);
    if (!(op & 0x40))
        run(w, 4);
    check(server_is_consistent(service_server(w->service)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct world w = {0};

    fake_reset();
    for (domid_t d = 0; d < CLIENTS; d++)
        build(&w, d);
    memset(area, 0, sizeof(area));
    begin_life(&w);
    check(service_open(w.service, 1, w.ports[1], false) == 0);
    while (in.left > 0)
        move(&w, &in);
    for (domid_t d = 0; d < CLIENTS; d++)
        kick(&w, d);
    w.hook_wait = 0;
    store_alloc_fail(0, 0);
    run(&w, 1000);
    (void)fake_enter(STORE);
    check(!service_turn(w.service));
    service_destroy(w.service);
    check(fake_mappings(STORE) == 0);
    return 0;
}
