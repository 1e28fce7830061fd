/*
 * The network driver domain dies at each of its effects in turn. All of it runs
 * here, from main on, over a real store, and is reset as by the core: two guests
 * send each other frames of one to several slots, event by event, at any moment.
 *
 * Each slot is answered once, under an id that is under way, with nobody at its
 * page; every buffer comes back once; frames are whole, all arrive, and come twice
 * only if a death lay between. An adopter writes its state, and no other node.
 */
#include "vif.h"

#include <stdio.h>
#include <string.h>

#include <fake_builder.h>
#include <fake_steps.h>

#include "check.h"
#include "model_guest.h"
#include "played.h"

/* The domain itself: its one file that is no library to a test. */
int driver_main(int argc, char **argv);
#define main driver_main
#include "main.c"
#undef main

#define GUESTS    RIG_GUESTS
#define STILL     50u    /* rounds in which nothing happens: it hangs */
#define FRAME_MTU "9000" /* for frames of FRAME_LEN */

/* What the dead had allocated is no leak: a domain's memory is taken from it as a whole. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:malloc_context_size=1:quarantine_size_mb=1";
}

enum phase { PHASE_SERVE, PHASE_CLOSE, PHASE_REMOVE, PHASE_DONE };

static struct {
    struct guest guests[GUESTS];
    enum phase phase;
    uint64_t seed;
    uint32_t frames; /* that each guest sends */
    unsigned still;
    bool settled[GUESTS]; /* its state was Connected when its back end started anew */
    bool hung;
    jmp_buf quiet;
} t;

int irq_alloc(uint64_t *address, uint32_t *data)
{
    *address = *data = 0;
    return -XEN_ENOSPC;
}

static unsigned draw(unsigned below)
{
    t.seed = t.seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(t.seed >> 33) % below;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static const char *path_of(unsigned i, bool back, const char *name)
{
    static char paths[2][96];
    char *path = paths[back];

    if (back)
        (void)snprintf(path, sizeof(paths[0]), "/local/domain/%u/backend/vif/%u/0%s%s", RIG_BACK,
                       RIG_GUEST(i), *name ? "/" : "", name);
    else
        (void)snprintf(path, sizeof(paths[0]), "/local/domain/%u/device/vif/0%s%s", RIG_GUEST(i),
                       *name ? "/" : "", name);
    return path;
}

static unsigned state_of(unsigned i, bool back)
{
    const char *state = builder_read(path_of(i, back, "state"));

    return state[0] >= '0' && state[0] <= '9' ? (unsigned)(state[0] - '0') : 0;
}

static void write_back(unsigned i, const char *name, const char *value)
{
    builder_write(path_of(i, true, name), value, RIG_BACK, RIG_GUEST(i));
}

static void write_front(unsigned i, const char *name, const char *value)
{
    builder_write(path_of(i, false, name), value, RIG_GUEST(i), RIG_BACK);
}

static void write_number(unsigned i, const char *name, uint32_t value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", value);
    write_front(i, name, text);
}

/* As the toolstack does. */
static void device_add(unsigned i)
{
    char mac[32];

    (void)snprintf(mac, sizeof(mac), "52:54:00:00:00:%02x", i);
    write_back(i, "", "");
    write_front(i, "", "");
    write_front(i, "state", "1");
    write_back(i, "mac", mac);
    write_back(i, "bridge", "br0");
    write_back(i, "mtu", FRAME_MTU);
    write_back(i, "frontend", path_of(i, false, ""));
    write_back(i, "online", "1");
    write_back(i, "state", "1");
}

static void front_tell(unsigned i)
{
    struct guest *g = &t.guests[i];
    const struct net_link *link = &g->side.link;

    rig_make_guest(&g->side, RIG_GUEST(i), 1, i == 0);
    write_number(i, "tx-ring-ref", link->queues[0].tx_ref);
    write_number(i, "rx-ring-ref", link->queues[0].rx_ref);
    if (i == 0) {
        write_number(i, "event-channel-tx", link->queues[0].tx_port);
        write_number(i, "event-channel-rx", link->queues[0].rx_port);
    } else {
        write_number(i, "event-channel", link->queues[0].tx_port);
    }
    write_front(i, "request-rx-copy", "1");
    write_front(i, "feature-rx-notify", "1");
    write_front(i, "feature-sg", "1");
    write_front(i, "state", "4");
    g->connected = true;
    g->left = t.frames;
}

/* A front end's half of the handshake, both ways; whether it did anything. */
static bool front_shake(unsigned i)
{
    unsigned own = state_of(i, false), back = state_of(i, true), next = own;

    if (t.phase == PHASE_SERVE && own == 1 && back == 2) {
        front_tell(i);
        return true;
    }
    if (t.phase == PHASE_CLOSE && own == 4 && back == 4)
        next = 5;
    else if (own == 5 && back >= 5)
        next = 6;
    if (next != own)
        write_number(i, "state", next);
    return next != own;
}

/* ---- the others ------------------------------------------------------------------------------ */

/* Under the directory of an interface that was adopted only the state is written. */
static void nodes_check(void)
{
    const char *heard;

    while (*(heard = builder_heard())) {
        for (unsigned i = 0; i < GUESTS && t.phase == PHASE_SERVE; i++) {
            const char *path = path_of(i, true, "");
            size_t len = strlen(path);

            EXPECT(!t.settled[i] || strncmp(heard, path, len) != 0 ||
                   strncmp(heard + len, "/state|", 7) == 0);
        }
    }
}

/* On other CPUs, between two effects of the domain. */
static void others(void)
{
    for (unsigned i = 0; i < GUESTS; i++)
        guest_look(&t.guests[i]);
    switch (draw(16)) {
    case 0:
    case 1: (void)guest_step(&t.guests[draw(GUESTS)]); break;
    case 2: (void)builder_run_store(); break;
    default: break;
    }
}

static bool phase_is_over(void)
{
    bool over = true;

    for (unsigned i = 0; i < GUESTS; i++) {
        switch (t.phase) {
        case PHASE_SERVE: over = over && t.guests[i].connected && state_of(i, true) == 4; break;
        case PHASE_CLOSE: over = over && state_of(i, false) == 6 && state_of(i, true) == 6; break;
        case PHASE_REMOVE: over = over && !vifs.vifs[i].bus.used; break;
        case PHASE_DONE: break;
        }
        over = over && guest_is_idle(&t.guests[i]);
    }
    return over;
}

/* A phase is over: what must hold then, and the next one's beginning. */
static void phase_next(void)
{
    for (unsigned i = 0; i < GUESTS; i++)
        for (uint32_t n = 0; n < t.guests[i].sent; n++)
            GUEST_EXPECT(&t.guests[i], t.guests[i].came[n] > 0);
    switch (t.phase++) {
    case PHASE_CLOSE:
        EXPECT(fake_mappings(RIG_BACK) == 0 && fake_ports(RIG_BACK) == 1);
        for (unsigned i = 0; i < GUESTS; i++)
            builder_remove(path_of(i, true, ""));
        break;
    case PHASE_REMOVE: EXPECT(fake_space(RIG_BACK) == 0); break;
    case PHASE_SERVE:
    case PHASE_DONE: break;
    }
}

/* The domain sleeps: all others go on, in turns. */
static bool idle(void *context)
{
    bool any = builder_run_store(), woken = false;

    (void)context;
    for (unsigned i = 0; i < GUESTS; i++)
        any = guest_step(&t.guests[i]) || any;
    if (!any)
        nodes_check();
    for (unsigned i = 0; i < GUESTS && !any; i++)
        any = front_shake(i);
    any = any || builder_run_store();
    t.still = any ? 0 : t.still + 1;
    for (unsigned i = 0; i < GUESTS && !any; i++)
        woken = guest_wake(&t.guests[i]) || woken;
    if (!any && !woken && phase_is_over())
        phase_next();
    /* What waits for company to be told of is told of in the end. */
    if (!any && !woken)
        fake_clock_advance(NET_QUIET_NS);
    t.hung = t.still > STILL;
    if (t.hung || t.phase == PHASE_DONE)
        longjmp(t.quiet, 1);
    return true;
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void life(void)
{
    static char name[] = "net", word[] = "pci=00:05.0";
    char *words[] = {name, word, NULL};

    if (setjmp(t.quiet) == 0) {
        (void)driver_main(2, words);
        EXPECT(false); /* it never ends by itself */
        t.hung = true;
    }
}

static void begin(uint64_t seed, uint32_t frames)
{
    memset(&t, 0, sizeof(t));
    t.seed = seed;
    t.frames = frames;
    fake_reset();
    played_init(0x1b36, 0x0010, 0x010802);
    builder_begin(RIG_BACK);
    for (unsigned i = 0; i < GUESTS; i++) {
        t.guests[i].index = i;
        t.guests[i].peer = &t.guests[1 - i];
        t.guests[i].seed = seed + i;
        device_add(i);
    }
    builder_watch("/local/domain/1/backend");
    steps.others = others;
    fake_idle(idle, NULL);
}

static void end(void)
{
    EXPECT(!t.hung && t.phase == PHASE_DONE);
    builder_end();
}

/* What the core and the toolstack make of a death. */
static void succeed(void)
{
    store_close(&store);
    nodes_check();
    for (unsigned i = 0; i < GUESTS; i++) {
        guest_look(&t.guests[i]);
        t.guests[i].deaths++;
        t.settled[i] = state_of(i, true) == 4;
    }
    builder_renew(draw(8));
    for (unsigned i = 0; i < GUESTS; i++)
        EXPECT(guest_is_let_go(&t.guests[i]));
}

TEST(it_lives)
{
    for (uint64_t seed = 1; seed < 10; seed++) {
        begin(seed, 60);
        EXPECT(!steps_run(life, RIG_BACK, 0));
        end();
    }
}

TEST(killed_at_every_effect)
{
    unsigned n = 1;

    for (bool more = true; more; n++) {
        begin(n & 3, 5);
        more = steps_run(life, RIG_BACK, n);
        if (more) {
            steps_tear(draw(4));
            succeed();
            EXPECT(!steps_run(life, RIG_BACK, 0));
        }
        end();
    }
    printf("# %u effects\n", n - 2);
    EXPECT(n > 500);
}

/* In a world where guests go on and on: once they are connected, each life dies a little later. */
TEST(every_successor_dies)
{
    begin(1, FRAMES_MAX);
    EXPECT(steps_run(life, RIG_BACK, 4000));
    succeed();
    for (unsigned n = 1; n < 2600 && !t.hung; n += 1 + draw(3)) {
        EXPECT(steps_run(life, RIG_BACK, n));
        steps_tear(draw(4));
        succeed();
    }
    t.frames = 0;
    for (unsigned i = 0; i < GUESTS; i++)
        t.guests[i].left = 0;
    EXPECT(!steps_run(life, RIG_BACK, 0));
    EXPECT(t.guests[0].sent > 1000 && t.guests[1].sent > 1000);
    printf("# %u and %u frames\n", t.guests[0].sent, t.guests[1].sent);
    end();
}
