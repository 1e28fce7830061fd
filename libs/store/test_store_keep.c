/*
 * The store dies at each of its stores to shared memory and at each of its
 * hypercalls, in the middle of a conversation, and comes back: its clients must
 * not be able to tell that from a delay.
 */
#include "store_client.h"
#include "store_service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>
#include <store_alloc.h>

#include "check.h"
#include "fake_hv.h"
#include "fake_kill.h"

#define STORE   7
#define CLIENTS 3
#define AREA    (1u << 20)

/* A life that ended leaves its memory as it is, like a domain. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct store_service *service; /* NULL: it has died */
static struct xenstore_domain_interface *pages[CLIENTS];
static evtchn_port_t ports[CLIENTS];
static struct store_client clients[CLIENTS];
static uint64_t area[AREA / sizeof(uint64_t)];

/* How many more stores or calls until the next death, and the one after it. */
static struct {
    bool armed;
    bool at_call;
    unsigned left;
    unsigned then; /* 0: none */
    unsigned deaths;
    bool early; /* the last of them was while a life took over */
} fate;

/* So many more lives end when they begin to do what domain 2 asks. */
static struct {
    unsigned left;
    jmp_buf where;
} poison;

/* Lives that one request may end. */
static struct store_limits limits;

/* What the clients heard; that of a run without a death, and of the one being made. */
#define TEXT_MAX 65536u
static char expected[TEXT_MAX];
static char heard[TEXT_MAX];
static size_t heard_len;

static void hear(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void hear(const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(heard + heard_len, TEXT_MAX - heard_len, format, args);
    va_end(args);
    heard_len += (size_t)len;
    if (heard_len >= TEXT_MAX)
        abort();
}

/* As stubdom/store does it. */
static void begin_life(void)
{
    struct store_service *next = service_create(&limits);

    if (!next)
        abort();
    (void)service_keep(next, area, sizeof(area), 0);
    if (!service_serves(next, 0))
        EXPECT(service_open(next, 0, ports[0], true) == 0);
    service = next;
}

static void live(void)
{
    evtchn_port_t port;

    if (!service)
        begin_life();
    do {
        while ((port = event_next()) != EVENT_NONE)
            service_event(service, port);
    } while (service_turn(service));
}

static bool is_pending(void)
{
    for (evtchn_port_t p = 1; p < FAKE_PORTS; p++)
        if (fake_pending(STORE, p))
            return true;
    return !service;
}

static void die(void)
{
    fake_destroy(STORE);
    fate.early = !service;
    service = NULL;
    fate.deaths++;
    fate.armed = fate.then > 0;
    fate.left = fate.then;
    fate.then = 0;
}

/* The store works until it would sleep; a death is followed by a life. */
static void live_or_die(void)
{
    if (setjmp(poison.where) == 0)
        live();
    else
        die();
}

static bool run_store(void *context)
{
    domid_t before = fake_enter(STORE);
    bool any = false;

    (void)context;
    while (is_pending()) {
        unsigned effects = fake_effects(STORE);

        any = true;
        if (!fate.armed) {
            live_or_die();
        } else if (fake_kill_in(live, STORE, fate.left, fate.at_call)) {
            die();
        } else {
            fate.left =
                fate.at_call ? fate.left - (fake_effects(STORE) - effects) : fake_kill.stores_left;
        }
        if (service)
            EXPECT(server_is_consistent(service_server(service)));
    }
    (void)fake_enter(before);
    return any;
}

static void build(domid_t domid)
{
    domid_t before = fake_enter(domid);

    pages[domid] = memory_pages_alloc(1);
    ports[domid] = fake_port(domid, STORE);
    fake_grant(domid, GNTTAB_RESERVED_XENSTORE, STORE, pages[domid], false);
    (void)fake_enter(before);
}

static struct store_client *as(domid_t domid)
{
    (void)fake_enter(domid);
    return &clients[domid];
}

/* ---- the conversation -------------------------------------------------------------------------
 */

/* Everything that waits for a client, once the store has nothing more to say. */
static void hear_events(domid_t domid)
{
    const struct store_event *event;

    (void)run_store(NULL);
    as(domid);
    while ((event = store_event(&clients[domid])) != NULL) {
        hear("%u: %s %s\n", domid, event->path, event->token);
        (void)run_store(NULL);
    }
}

static void hear_read(domid_t domid, uint32_t tx, const char *path)
{
    static char value[5000];
    int got = store_read(as(domid), tx, value, sizeof(value), "%s", path);

    hear("%u: %s is %d", domid, path, got);
    if (got >= 0)
        hear(" %.40s", value);
    hear("\n");
}

static void hear_list(domid_t domid, const char *path)
{
    static char names[9000];
    int count = store_list(as(domid), 0, names, sizeof(names), "%s", path);
    const char *name = names;

    hear("%u: %s has %d:", domid, path, count);
    for (int i = 0; i < count && i < 8; i++, name = store_next_name(name))
        hear(" %s", name);
    hear("\n");
}

static void greet(domid_t domid)
{
    struct store_perm perm = {domid, 'n'};

    hear("mkdir %d\n", store_mkdir(as(0), 0, "/local/domain/%u", domid));
    hear("perms %d\n", store_set_perms(as(0), 0, &perm, 1, "/local/domain/%u", domid));
    hear("introduce %d\n", store_introduce(as(0), domid, 0, ports[domid], domid == 2));
    store_open(as(domid), pages[domid], ports[domid]);
}

/* Two transactions over the same nodes: one wins. */
static void collide(void)
{
    uint32_t a = 0;
    uint32_t b = 0;

    hear("begin %d", store_begin(as(1), &a));
    hear(" %d\n", store_begin(as(0), &b));
    hear_read(1, a, "shared");
    hear_read(0, b, "/local/domain/1/shared");
    hear("write %d", store_write(as(1), a, "guest", "shared"));
    hear(" %d", store_write(as(0), b, "control", "/local/domain/1/shared"));
    hear(" %d", store_write(as(1), a, "new", "deep/er/node"));
    hear(" %d\n", store_remove(as(0), b, "/local/domain/1/a"));
    hear_read(1, a, "shared");
    hear_read(0, b, "/local/domain/1/a");
    hear("end %d", store_end(as(0), b, true));
    hear(" %d\n", store_end(as(1), a, true));
    hear_read(1, 0, "shared");
}

/* Answers and requests that are longer than a ring. */
static void be_long(void)
{
    static char big[4001];
    unsigned i;
    int error = 0;

    memset(big, 'b', 4000);
    hear("big %d\n", store_write(as(0), 0, big, "/big"));
    hear_read(0, 0, "/big");
    for (i = 0; error == 0 && i < 5; i++)
        error = store_mkdir(as(0), 0, "/many/a-name-that-is-somewhat-longer-%u", i);
    hear("many %d %u\n", error, i);
    hear_list(0, "/many");
}

/* A kernel that was started by another one. */
static void start_anew(domid_t domid)
{
    struct evtchn_send send = {ports[domid]};

    store_close(as(domid));
    pages[domid]->connection = XENSTORE_RECONNECT;
    (void)hcall_event_send(&send);
    (void)run_store(NULL);
    hear("connection %u\n", pages[domid]->connection);
    store_open(as(domid), pages[domid], ports[domid]);
    hear_read(domid, 0, "shared");
}

static void break_rules(domid_t domid)
{
    struct evtchn_send send = {ports[domid]};

    (void)fake_enter(domid);
    pages[domid]->req_prod += 5000;
    (void)hcall_event_send(&send);
    (void)run_store(NULL);
    hear("error %u\n", pages[domid]->error);
    pages[domid]->req_prod -= 5000;
    store_close(as(domid));
}

static void converse(void)
{
    struct store_pair pairs[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};

    store_open(as(0), pages[0], ports[0]);
    greet(1);
    hear("watch %d", store_watch(as(0), "all", "/local"));
    hear(" %d", store_watch(as(0), "gone", "@releaseDomain"));
    hear(" %d", store_watch(as(1), "mine", "shared"));
    hear(" %d\n", store_watch(as(1), "deep", "deep"));
    hear("write %d\n", store_write_all(as(1), 0, pairs, 3, "a"));
    greet(2);
    hear("write %d\n", store_write(as(2), 0, "x", "shared"));
    hear_events(0);
    hear_events(1);
    collide();
    be_long();
    hear("unwatch %d\n", store_unwatch(as(1), "mine", "shared"));
    hear_events(1);
    start_anew(1);
    hear("release %d\n", store_release(as(0), 2));
    break_rules(1);
    hear_events(0);
    hear_list(0, "/local/domain/1");
    hear("introduce %d\n", store_introduce(as(0), 1, 0, ports[1], false));
    store_open(as(1), pages[1], ports[1]);
    hear_read(1, 0, "shared");
}

static void begin(void)
{
    fake_reset();
    fake_idle(run_store, NULL);
    memset(area, 0, sizeof(area));
    memset(clients, 0, sizeof(clients));
    memset(&fate, 0, sizeof(fate));
    service = NULL;
    heard_len = 0;
    limits = store_limits_default;
    limits.request_lives = 0;
    for (domid_t d = 0; d < CLIENTS; d++)
        build(d);
}

/* One run; whether it came to the death. */
static bool run(bool armed, bool at_call, unsigned n, unsigned then)
{
    begin();
    fate.armed = armed;
    fate.at_call = at_call;
    fate.left = n;
    fate.then = then;
    converse();
    for (domid_t d = 0; d < CLIENTS; d++)
        while (clients[d].first || clients[d].given)
            (void)store_event(as(d));
    (void)fake_enter(STORE);
    EXPECT(fake_mappings(STORE) == 2);
    service_destroy(service);
    return fate.deaths > 0;
}

static void expect(void)
{
    (void)run(false, false, 0, 0);
    EXPECT(heard_len > 500);
    memcpy(expected, heard, sizeof(expected));
}

static bool is_as_expected(unsigned n, bool at_call)
{
    size_t at = 0;

    if (strcmp(heard, expected) == 0)
        return true;
    while (heard[at] == expected[at])
        at++;
    while (at > 0 && heard[at - 1] != '\n')
        at--;
    printf("# log: %s\n", fake_log_last());
    printf("# death at %s %u: heard %.60s\n# expected %.60s\n", at_call ? "call" : "store", n,
           heard + at, expected + at);
    return false;
}

TEST(a_death_at_any_store_is_a_delay)
{
    unsigned n = 0;
    bool good = true;

    expect();
    for (; good && run(true, false, n, 0); n++)
        EXPECT(good = is_as_expected(n, false));
    EXPECT(n > 500);
}

TEST(a_death_at_any_call_is_a_delay)
{
    unsigned n = 0;
    bool good = true;

    expect();
    for (; good && run(true, true, n, 0); n++)
        EXPECT(good = is_as_expected(n, true));
    EXPECT(n > 50);
}

/* The next life dies as well, mostly while it is taking over. */
TEST(two_deaths_are_a_delay)
{
    bool good = true;

    expect();
    for (unsigned n = 0; good && run(true, false, n * 3, 1 + n * 7 % 97); n++)
        EXPECT(good = is_as_expected(n * 3, false));
}

/* ---- requests that end lives ------------------------------------------------------------------
 */

static void poison_act(void)
{
    if (fake_current() != STORE || !service || pages[2]->req_cons == pages[2]->req_prod)
        return;
    if (poison.left > 0) {
        poison.left--;
        longjmp(poison.where, 1);
    }
}

static void begin_poison(unsigned lives)
{
    begin();
    store_open(as(0), pages[0], ports[0]);
    greet(1);
    greet(2);
    limits.request_lives = lives;
    /* The limits are a life's own. */
    die();
    fate.deaths = 0;
    poison.left = 0;
    store_alloc_hook = poison_act;
}

static void end_poison(void)
{
    poison.left = 0;
    store_alloc_hook = NULL;
    (void)fake_enter(STORE);
    service_destroy(service);
}

static int write_as(domid_t domid, const char *path)
{
    return store_write(as(domid), 0, "x", "%s", path);
}

static bool is_there(domid_t domid, const char *path)
{
    return store_exists(as(domid), 0, "%s", path) == 1;
}

/* Two lives are enough to know it; all that others ask is done, and what else this one asks. */
TEST(a_request_that_ends_lives_is_refused)
{
    begin_poison(2);
    EXPECT(write_as(2, "good") == 0);
    poison.left = 1000;
    EXPECT(write_as(2, "bad") == -XEN_EIO && poison.left == 998);
    EXPECT(strstr(fake_log_last(), "domain 2: its request (type 11) ended 2 lives"));
    EXPECT(write_as(1, "other") == 0 && poison.left == 998);
    poison.left = 0;
    /* It is not done by the next life either, which repeats what was done. */
    die();
    EXPECT(!is_there(2, "bad") && is_there(2, "good") && is_there(1, "other"));
    EXPECT(write_as(2, "bad") == 0 && is_there(2, "bad"));
    end_poison();
}

/* Each of these has ended one life, and none of them two. */
TEST(a_request_that_ended_a_life_is_done)
{
    static const char *const paths[] = {"a", "b", "c"};

    begin_poison(2);
    for (unsigned i = 0; i < 3; i++) {
        poison.left = 1;
        EXPECT(write_as(2, paths[i]) == 0 && poison.left == 0 && is_there(2, paths[i]));
    }
    EXPECT(fate.deaths == 3);
    end_poison();
}

/* After it was done a place in the ring may come again: the client began anew. */
TEST(the_same_place_of_another_time)
{
    struct evtchn_send send = {ports[2]};

    begin_poison(2);
    for (unsigned i = 0; i < 3; i++) {
        poison.left = 1;
        EXPECT(write_as(2, "a") == 0 && poison.left == 0);
        send.port = ports[2];
        store_close(as(2));
        pages[2]->connection = XENSTORE_RECONNECT;
        (void)hcall_event_send(&send);
        (void)run_store(NULL);
        store_open(as(2), pages[2], ports[2]);
    }
    EXPECT(fate.deaths == 3);
    end_poison();
}

/* A life that ends while it takes over has not tried it again, wherever that is. */
TEST(a_life_that_only_takes_over_does_not_count)
{
    bool good = true;
    unsigned n;

    for (n = 1, fate.early = true; good && fate.early; n++) {
        begin_poison(2);
        poison.left = 1;
        fate.then = n;
        good = write_as(2, "a") == 0 && is_there(2, "a") && fate.deaths == 2;
        good = good || !fate.early;
        fate.armed = false;
        end_poison();
    }
    EXPECT(good && n > 20);
}

/* Nobody counts. */
TEST(any_number_of_lives)
{
    begin_poison(0);
    poison.left = 20;
    EXPECT(write_as(2, "a") == 0 && fate.deaths == 20);
    end_poison();
}
