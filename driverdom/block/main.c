/* The block driver domain: takes its disks, then serves their sectors to guests. */
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/life.h>
#include <rt/log.h>
#include <rt/start.h>

#include <abi/layout.h>
#include <fault.h>
#include <hcall.h>
#include <rt/memory.h>

#include "vbd.h"

/* The small area, which every domain of ours has. */
_Static_assert(VBDS_MAX *(8 + VBD_KEEP_LEN) + DISKS_MAX <= LAYOUT_SURVIVOR_SIZE, "survivors");

/* So long guests of a last life are served before others are told anything. */
#define CATCH_UP_NS 10000000u

static struct store_client store;
static struct disks disks;
static struct vbds vbds;
static struct fault fault;

static bool store_changes(void)
{
    const struct store_event *event;
    bool any = false;

    while ((event = store_event(&store)) != NULL) {
        if (!fault_event(&fault, event))
            bus_back_event(&vbds.bus, event);
        any = true;
    }
    vbds.bus.scan = store_events_lost(&store) || vbds.bus.scan;
    bus_back_settle(&vbds.bus);
    fault_settle(&fault);
    return any;
}

static bool serve(void)
{
    bool any = disks_poll(&disks);

    any = vbds_serve(&vbds) || any;
    disks_kick(&disks);
    return any;
}

/* All that a wake asks for, until there is nothing left: device, rings, store. */
static bool round_done(void)
{
    bool any = serve();

    return store_changes() || any;
}

/* Works, or waits until there is something to do, at most until `latest`. */
static void turn(bool (*work)(void), uint64_t latest)
{
    static bool busy;
    /*
     * Before the work: what a reset has made fail is answered by it, and a guest
     * that always has work cannot keep a silent device from its reset.
     */
    uint64_t deadline = disks_tick(&disks);

    if (disks_are_silent(&disks))
        return;
    if (work()) {
        /* One long batch of work ends before it is told of; endless work does not. */
        if (busy)
            event_flush();
        busy = true;
        return;
    }
    busy = false;
    (void)event_wait(deadline < latest ? deadline : latest);
    while (event_next() != EVENT_NONE)
        ;
}

/* Who waits since the last life comes before who waits for this one. */
static void answer_first(void)
{
    for (uint32_t looks = 0; looks < DISK_LOOKS_AWAKE; looks++)
        if (!serve() && vbds_are_drained(&vbds))
            break;
}

static void catch_up(void)
{
    uint64_t end = clock_now() + CATCH_UP_NS;

    while (clock_now() < end && !disks_are_silent(&disks))
        turn(serve, end);
}

static void *ring_page(void *context, uint64_t pick)
{
    (void)context;
    return vbds_ring_page(&vbds, pick);
}

/* Why this life is to end, so that the next one does better; NULL: it need not. */
static const char *end_of_life(void)
{
    if (store.broken)
        return "the store is gone";
    if (disks.mortal && memory_is_used_up())
        return "out of memory: not a page is free";
    return disks_are_silent(&disks) ? "a disk does not answer" : NULL;
}

int main(int argc, char **argv)
{
    if (store_open_own(&store) < 0) {
        log_line("there is no store");
        return 1;
    }
    /* Guests of a last life wait. */
    log_hold(start_has_word(argc, argv, START_MORTAL));
    disks_open(&disks, (uint8_t *)memory_survivor(VBDS_KEEP_LEN + DISKS_MAX) + VBDS_KEEP_LEN, argc,
               argv);
    life_stamp(LIFE_DEVICES);
    if (vbds_open(&vbds, &store, &disks) < 0) {
        log_line("this domain needs more memory");
        return 1;
    }
    answer_first();
    life_stamp(LIFE_SERVES);
    if (bus_back_has_adopted(&vbds.bus))
        catch_up();
    log_hold(false);
    if (bus_back_watch(&vbds.bus) < 0) {
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

    while (!(why = end_of_life()))
        turn(round_done, UINT64_MAX);
    log_line("%s", why);
    return 1;
}
