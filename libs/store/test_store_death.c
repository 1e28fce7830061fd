/*
 * What must hold when things end at the worst moment: memory runs out at each
 * allocation of a conversation in turn; a client dies at each of its stores to the
 * ring and each of its hypercalls, and comes back under the same number.
 */
#include "store_client.h"
#include "store_service.h"

#include <setjmp.h>
#include <string.h>

#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <shm.h>
#include <store_alloc.h>

#include "check.h"
#include "fake_hv.h"
#include "store_talk.h"

/* ---- memory runs out ------------------------------------------------------------------------ */

/* Everything that allocates; answers differ by what failed, the books must not. */
static void converse(struct store_server *s)
{
    struct store_domain *control = server_introduce(s, 0, true);
    struct store_domain *one = server_introduce(s, 1, false);

    if (!control || !one)
        return;
    (void)talk(s, control, XS_MKDIR, "/local/domain/1|");
    (void)talk(s, control, XS_SET_PERMS, "/local/domain/1|n1|");
    (void)talk(s, control, XS_WATCH, "/local|t|");
    (void)talk(s, one, XS_WATCH, "a|t|");
    (void)talk(s, one, XS_WRITE, "a/b/c/d|value");
    (void)talk(s, control, XS_SET_PERMS, "/local/domain/1/a|n9|r1|");
    (void)talk(s, one, XS_TRANSACTION_START, "|");
    (void)talk_tx(s, one, 1, XS_WRITE, "x/y|1");
    (void)talk_tx(s, one, 1, XS_RM, "a/b|");
    (void)talk_tx(s, one, 1, XS_TRANSACTION_END, "T|");
    (void)talk(s, control, XS_TRANSACTION_START, "|");
    (void)talk_tx(s, control, 1, XS_SET_PERMS, "/local/domain/1/x|n8|");
    (void)talk_tx(s, control, 1, XS_WRITE, "/new/tree|1");
    (void)talk_tx(s, control, 1, XS_TRANSACTION_END, "T|");
    (void)talk(s, one, XS_RM, "x|");
    while (*talk_event(s, control))
        ;
    (void)talk(s, one, XS_TRANSACTION_START, "|");
    (void)talk_tx(s, one, 2, XS_MKDIR, "left/open|");
    server_release(s, 1);
}

TEST(memory_runs_out_anywhere)
{
    bool failed = true;
    unsigned n = 1;

    for (; failed && n < 1000; n++) {
        for (unsigned more = 0; more < 3; more++) {
            store_alloc_fail(n, more);

            struct store_server *s = server_create(&store_limits_default);

            if (s) {
                converse(s);
                EXPECT(server_is_consistent(s));
            }
            failed = store_alloc_failed();
            store_alloc_fail(0, 0);
            if (!s)
                continue;
            /* With memory again, all is as usual. */
            struct store_domain *control = server_introduce(s, 0, true);

            EXPECT(control && strcmp(talk(s, control, XS_WRITE, "/then|1"), "OK|") == 0);
            EXPECT(strcmp(talk(s, control, XS_RM, "/then|"), "OK|") == 0);
            EXPECT(server_is_consistent(s));
            server_destroy(s);
        }
    }
    EXPECT(n > 40 && n < 1000);
}

/* ---- a client dies -------------------------------------------------------------------------- */

#define STORE 7

struct world {
    struct store_service *service;
    struct xenstore_domain_interface *pages[2];
    evtchn_port_t ports[2];
    struct store_client control;
    struct store_client guest;
    jmp_buf died;
    unsigned stores_left; /* the guest's; 0: it does not die by them */
};

static bool run_store(void *context)
{
    struct world *w = context;
    bool any = false;
    evtchn_port_t port;
    domid_t before = fake_enter(STORE);

    while ((port = event_next()) != EVENT_NONE) {
        any = true;
        service_event(w->service, port);
        while (service_turn(w->service))
            ;
    }
    (void)fake_enter(before);
    return any;
}

static void die_at_store(void *context, void *shared, size_t len)
{
    struct world *w = context;

    (void)shared;
    (void)len;
    if (fake_current() == 1 && w->stores_left > 0 && --w->stores_left == 0)
        longjmp(w->died, 1);
}

static void build(struct world *w, domid_t domid)
{
    domid_t before = fake_enter(domid);

    w->pages[domid] = memory_pages_alloc(1);
    w->ports[domid] = fake_port(domid, STORE);
    fake_grant(domid, GNTTAB_RESERVED_XENSTORE, STORE, w->pages[domid], false);
    (void)fake_enter(before);
}

static void begin(struct world *w)
{
    struct store_perm perm = {1, 'n'};

    memset(w, 0, sizeof(*w));
    fake_reset();
    fake_idle(run_store, w);
    build(w, 0);
    build(w, 1);
    (void)fake_enter(STORE);
    w->service = service_create(&store_limits_default);
    EXPECT(service_open(w->service, 0, w->ports[0], true) == 0);
    (void)fake_enter(0);
    store_open(&w->control, w->pages[0], w->ports[0]);
    EXPECT(store_mkdir(&w->control, 0, "/local/domain/1") == 0);
    EXPECT(store_set_perms(&w->control, 0, &perm, 1, "/local/domain/1") == 0);
    EXPECT(store_introduce(&w->control, 1, 0, w->ports[1], false) == 0);
}

static int both(struct store_client *c, uint32_t tx, void *context)
{
    int error = store_write(c, tx, "1", "pair/left");

    (void)context;
    return error ? error : store_write(c, tx, "1", "pair/right");
}

/* The guest's life: 0 if all went well. */
static int live(struct world *w)
{
    struct store_pair pairs[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    char value[8];
    int error;

    (void)fake_enter(1);
    store_open(&w->guest, w->pages[1], w->ports[1]);
    error = store_watch(&w->guest, "t", "pair");
    if (error == 0)
        error = store_write_all(&w->guest, 0, pairs, 3, "device/vbd/1");
    if (error == 0)
        error = store_transaction(&w->guest, both, NULL);
    if (error == 0)
        error = store_read(&w->guest, 0, value, sizeof(value), "pair/right") == 1 ? 0 : -XEN_EIO;
    store_close(&w->guest);
    return error;
}

/* It died: its number and nodes stay, its connection starts anew, as at a restart in place. */
static void succeed(struct world *w)
{
    (void)fake_enter(0);
    fake_stop_at(1, 0, NULL);
    w->stores_left = 0;
    /* One of the pair is never there without the other. */
    EXPECT(store_exists(&w->control, 0, "/local/domain/1/pair/left") ==
           store_exists(&w->control, 0, "/local/domain/1/pair/right"));
    fake_destroy(1);
    while (w->guest.first || w->guest.given)
        (void)store_event(&w->guest);
    build(w, 1);
    EXPECT(store_introduce(&w->control, 1, 0, w->ports[1], false) == 0);
    EXPECT(live(w) == 0);
    (void)fake_enter(STORE);
    EXPECT(server_is_consistent(service_server(w->service)));
    EXPECT(fake_mappings(STORE) == 2);
}

static void end(struct world *w)
{
    (void)fake_enter(0);
    store_close(&w->control);
    (void)fake_enter(STORE);
    service_destroy(w->service);
    EXPECT(fake_mappings(STORE) == 0);
}

TEST(a_client_dies_at_any_hypercall)
{
    static struct world w;
    volatile bool died = true;

    for (volatile unsigned n = 1; died && n < 1000; n++) {
        begin(&w);
        fake_stop_at(1, n, &w.died);
        died = setjmp(w.died) != 0;
        if (!died)
            EXPECT(live(&w) == 0);
        succeed(&w);
        end(&w);
        EXPECT(died || n > 8);
    }
}

TEST(a_client_dies_at_any_store)
{
    static struct world w;
    struct shm_hook hook = {NULL, die_at_store, &w};
    volatile bool died = true;

    for (volatile unsigned n = 1; died && n < 1000; n++) {
        begin(&w);
        shm_hook_set(&hook);
        w.stores_left = n;
        died = setjmp(w.died) != 0;
        if (!died)
            EXPECT(live(&w) == 0);
        shm_hook_set(NULL);
        succeed(&w);
        end(&w);
        EXPECT(died || n > 30);
    }
}

/*
 * The builder empties the ring of a domain that starts anew, and the store, which
 * has not been told yet, puts an event of the last life's into it.
 */
TEST(a_new_life_begins_with_an_empty_ring)
{
    static struct world w;

    for (unsigned i = 0; i < 2; i++) {
        begin(&w);
        EXPECT(live(&w) == 0);
        (void)fake_enter(0);
        memset(w.pages[1], 0, PAGE_SIZE);
        /* With few bytes behind it, the old connection goes on; with many it is broken. */
        for (unsigned n = 0; n < 1 + i * 100; n++)
            EXPECT(store_write(&w.control, 0, "x", "/local/domain/1/pair/%u", n) == 0);
        EXPECT(w.pages[1]->rsp_prod != 0 || w.pages[1]->error != 0);
        EXPECT(store_introduce(&w.control, 1, 0, w.ports[1], false) == 0);
        EXPECT(live(&w) == 0);
        end(&w);
    }
}
