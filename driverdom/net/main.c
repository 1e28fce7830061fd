/* The network driver domain: takes its cards, then joins them and guests by switches. */
#include <abi/addr.h>

#include <fault.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/life.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <rt/start.h>

#include "vif.h"

#define CATCH_UP_NS 10000000u

static struct store_client store;
static struct net_batch batch;
static struct bridges bridges;
static struct vifs vifs;
static struct fault fault;
static bool mortal;

static bool store_changes(void)
{
    const struct store_event *event;
    bool any = false;

    while ((event = store_event(&store)) != NULL) {
        if (!fault_event(&fault, event))
            bus_back_event(&vifs.bus, event);
        any = true;
    }
    vifs.bus.scan = store_events_lost(&store) || vifs.bus.scan;
    bus_back_settle(&vifs.bus);
    fault_settle(&fault);
    return any;
}

static bool serve(uint64_t now)
{
    bool any = bridges_take(&bridges, now);

    any = vifs_take(&vifs, now) || any;
    bridges_flush(&bridges, now);
    return vifs_answer(&vifs) || any;
}

/* All that a wake asks for, until there is nothing left: cards, guests, store. */
static bool round_done(uint64_t now)
{
    bool any = serve(now);

    return store_changes() || any;
}

static uint64_t tick(uint64_t now)
{
    uint64_t a = bridges_tick(&bridges, now), b = vifs_tick(&vifs, now);

    return a < b ? a : b;
}

static void events_take(evtchn_port_t port)
{
    for (; port != EVENT_NONE; port = event_next())
        bridges_irq(&bridges, port);
}

/* Guests that waited catch up on what they missed; what we have to tell others can wait for that.
 */
static void catch_up(void)
{
    uint64_t end = clock_now() + CATCH_UP_NS;

    for (uint64_t now; (now = clock_now()) < end;) {
        uint64_t deadline = tick(now);

        if (!serve(now) && bridges_arm(&bridges))
            events_take(event_wait(deadline < end ? deadline : end));
        else
            events_take(event_next());
    }
}

static void *ring_page(void *context, uint64_t pick)
{
    (void)context;
    return vifs_ring_page(&vifs, pick);
}

/* Why this life is to end, so that the next one does better; NULL: it need not. */
static const char *end_of_life(void)
{
    if (store.broken)
        return "the store is gone";
    return mortal && memory_is_used_up() ? "out of memory: not a page is free" : NULL;
}

int main(int argc, char **argv)
{
    if (store_open_own(&store) < 0) {
        log_line("there is no store");
        return 1;
    }
    /* Guests of a last life wait. */
    log_hold(start_has_word(argc, argv, START_MORTAL));
    if (bridges_open(&bridges, &batch, argc, argv) < 0) {
        log_line("this domain needs more memory");
        return 1;
    }
    life_stamp(LIFE_DEVICES);
    /* Cards rest after a reset: guests of a last life are found meanwhile, and served after it. */
    if (vifs_open(&vifs, &store, &bridges, &batch) < 0) {
        log_line("this domain needs more memory");
        return 1;
    }
    bridges_start(&bridges);
    /* Who waits since the last life comes before who waits for this one. */
    (void)serve(clock_now());
    life_stamp(LIFE_SERVES);
    if (bus_back_has_adopted(&vifs.bus))
        catch_up();
    log_hold(false);
    if (bus_back_watch(&vifs.bus) < 0) {
        log_line("the store refuses our watch");
        return 1;
    }
    if (fault_open(&fault, &store, &(struct fault_parts){.ring = ring_page}, argc, argv) < 0 ||
        store_write(&store, STORE_TX_NONE, "1", "backend-ready") < 0) {
        log_line("the store refuses our nodes");
        return 1;
    }
    /* From here on nothing but its devices, its grants and its events. */
    (void)hcall_rights_drop(&(struct bulkhead_rights_drop){.rights = RIGHTS_ALL});

    const char *why;

    mortal = start_has_word(argc, argv, START_MORTAL);
    while (!(why = end_of_life())) {
        uint64_t now = clock_now();
        uint64_t deadline = tick(now);

        if (!round_done(now) && bridges_arm(&bridges))
            events_take(event_wait(deadline));
        else
            events_take(event_next());
    }
    log_line("%s", why);
    return 1;
}
