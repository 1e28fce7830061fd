/*
 * Moves at random, twice: against a store that never dies, and against one that
 * dies at random stores to shared memory. Every client gets the same bytes, and
 * the books say the same after every move.
 */
#include "store_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>

#include "check.h"
#include "fake_hv.h"
#include "fake_kill.h"
#include "moves.h"

#define MOVES 1500
#define AREA  (200u << 10)

/* A life that ended leaves its memory as it is, like a domain. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct store_service *service; /* NULL: it has died */
static struct xenstore_domain_interface *pages[CLIENTS];
static evtchn_port_t ports[CLIENTS];
static uint64_t area[AREA / sizeof(uint64_t)];
static uint64_t random_state;
static uint64_t death_state;
static bool mortal;
static unsigned deaths;

/* What there is to compare after a move. */
struct trace {
    uint64_t got[CLIENTS]; /* all bytes so far, mixed */
    size_t bytes[CLIENTS];
};
static struct trace traces[MOVES];

static uint32_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 16);
}

static void live(void)
{
    evtchn_port_t port;

    if (!service) {
        struct store_service *next = service_create(&moves_limits);

        if (!next)
            abort();
        (void)service_keep(next, area, sizeof(area), 0);
        if (!service_serves(next, 0))
            EXPECT(service_open(next, 0, ports[0], true) == 0);
        service = next;
    }
    do {
        while ((port = event_next()) != EVENT_NONE)
            service_event(service, port);
    } while (service_turn(service));
}

/* The store works until it has nothing to do, in as many lives as that takes. */
static void run_store(void)
{
    (void)fake_enter(STORE);
    while (mortal && draw(&death_state) % 2 == 0) {
        unsigned n = draw(&death_state) % (deaths % 3 == 0 ? 60 : 10);

        if (!fake_kill_in(live, STORE, n, draw(&death_state) % 4 == 0))
            continue;
        fake_destroy(STORE);
        service = NULL;
        deaths++;
    }
    live();
}

/* ---- clients ----------------------------------------------------------------------------------
 */

static void kick(domid_t d)
{
    struct evtchn_send send = {ports[d]};

    (void)fake_enter(d);
    (void)hcall_event_send(&send);
}

/* Like Linux: the store is told only if it had taken all that was there. */
static void put(domid_t d, const void *bytes, size_t len)
{
    struct xenstore_domain_interface *page = pages[d];
    bool was_empty = page->req_prod == page->req_cons;

    for (size_t i = 0; i < len; i++)
        page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = ((const char *)bytes)[i];
    page->req_prod += (uint32_t)len;
    if (was_empty)
        kick(d);
    run_store();
}

/* Takes all that has come for it, and what follows when there is room again. */
static void drain(domid_t d, struct trace *t)
{
    struct xenstore_domain_interface *page = pages[d];

    while (page->rsp_cons != page->rsp_prod) {
        bool was_full = page->rsp_prod - page->rsp_cons >= XENSTORE_RING_SIZE;

        for (; page->rsp_cons != page->rsp_prod; page->rsp_cons++)
            t->got[d] =
                (t->got[d] ^ (uint8_t)page->rsp[MASK_XENSTORE_IDX(page->rsp_cons)]) * 0x100000001b3;
        if (was_full)
            kick(d);
        run_store();
    }
}

/* Nobody waits for somebody who waits for him. */
static bool is_served(domid_t d)
{
    const struct xenstore_domain_interface *page = pages[d];

    return page->req_prod == page->req_cons || page->error != XENSTORE_ERROR_NONE ||
           page->rsp_prod - page->rsp_cons == XENSTORE_RING_SIZE ||
           !server_domain(service_server(service), d);
}

static void request(domid_t d)
{
    uint8_t bytes[8];
    struct input in = {bytes, sizeof(bytes)};
    struct message m;
    size_t len;

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)draw(&random_state);
    len = message_make(&m, &in, ports);
    if (XENSTORE_RING_SIZE - (pages[d]->req_prod - pages[d]->req_cons) < len)
        return;
    /* Header and payload apart. */
    put(d, &m.header, sizeof(m.header));
    if (len > sizeof(m.header))
        put(d, m.payload, len - sizeof(m.header));
    EXPECT(is_served(d));
}

static void move(struct trace *t)
{
    domid_t d = draw(&random_state) % CLIENTS;
    uint32_t what = draw(&random_state) % 100;

    if (what == 0) {
        pages[d]->connection = XENSTORE_RECONNECT;
    } else if (what == 1) {
        pages[d]->req_prod += 2000; /* a lie, until the next reconnect */
    } else if (what < 20) {
        drain(d, t);
        return;
    } else {
        request(d);
        if (what > 60)
            drain(d, t);
        return;
    }
    kick(d);
    run_store();
}

static void begin(uint64_t seed)
{
    fake_reset();
    memset(area, 0, sizeof(area));
    service = NULL;
    random_state = seed;
    for (domid_t d = 0; d < CLIENTS; d++) {
        (void)fake_enter(d);
        pages[d] = memory_pages_alloc(1);
        ports[d] = fake_port(d, STORE);
        fake_grant(d, GNTTAB_RESERVED_XENSTORE, STORE, pages[d], false);
    }
    run_store();
}

static bool is_same(const struct trace *a, const struct trace *b, uint64_t seed, unsigned move_no)
{
    for (domid_t d = 0; d < CLIENTS; d++) {
        if (a->got[d] == b->got[d] && a->bytes[d] == b->bytes[d])
            continue;
        printf("# seed %llu, move %u, client %u: %s; %u deaths, %s\n", (unsigned long long)seed,
               move_no, d, a->got[d] == b->got[d] ? "another charge" : "other bytes", deaths,
               fake_log_last());
        return false;
    }
    return true;
}

/* All moves of a seed; false: what happened is not what is in traces. */
static bool play(uint64_t seed, bool record)
{
    struct trace t = {0};

    begin(seed);
    for (unsigned i = 0; i < MOVES; i++) {
        struct store_server *s;

        move(&t);
        s = service_server(service);
        for (domid_t d = 0; d < CLIENTS; d++) {
            struct store_domain *domain = server_domain(s, d);

            t.bytes[d] = domain ? server_bytes(s, domain) : 0;
        }
        EXPECT(server_is_consistent(s));
        if (record)
            traces[i] = t;
        else if (!is_same(&traces[i], &t, seed, i))
            return false;
    }
    (void)fake_enter(STORE);
    service_destroy(service);
    return true;
}

TEST(lives_add_up_to_one)
{
    bool good = true;

    death_state = 88172645463325252ull;
    for (uint64_t seed = 1; good && seed <= 40; seed++) {
        mortal = false;
        (void)play(seed * 0x9e3779b97f4a7c15, true);
        mortal = true;
        EXPECT(good = play(seed * 0x9e3779b97f4a7c15, false));
    }
    EXPECT(deaths > 2000);
}
