/*
 * The block driver domain dies at each of its effects in turn: stores to shared
 * memory, hypercalls, device registers. All of it runs here, from main on, over a
 * real store and a model of an NVMe controller, and is reset as by the core.
 *
 * Its guests, which act at any moment, see every request answered once, every
 * byte right, every flushed write on the medium, their grants back with each
 * answer, and under the back end's directories no node written by an adopter.
 */
#include "vbd.h"

#include <stdio.h>
#include <string.h>

#include <bus_keep.h>
#include <fake_steps.h>

#include "check.h"
#include "model_front_node.h"
#include "model_gpt.h"

/* The domain itself: its one file that is no library to a test. */
int driver_main(int argc, char **argv);
#define main driver_main
#include "main.c"
#undef main

#define BACK     1
#define FRONTS   3u
#define FIRST(i) (64ull + (i)*FRONT_SECTORS) /* sector of a kind's partition */
#define STILL    50u                         /* rounds in which nothing happens: it hangs */
#define KEEP_LEN bus_keep_len(VBDS_MAX, sizeof(struct blk_redo[BLK_QUEUES_MAX]))

/*
 * What the dead had allocated is no leak: a domain's memory is taken from it as a
 * whole. And thousands of worlds are made, so that what is freed is not kept for long.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:malloc_context_size=1:quarantine_size_mb=1";
}

enum phase { PHASE_SERVE, PHASE_CLOSE, PHASE_REMOVE, PHASE_DONE };

static unsigned torn; /* deaths that left an answer begun and not published */

static const struct front kinds[FRONTS] = {
    {.domid = 2, .persistent = true, .queue_count = 2, .ring_order = 1},
    {.domid = 2, .persistent = false, .queue_count = 1, .ring_order = 0},
    {.domid = 3, .persistent = false, .queue_count = 2, .ring_order = 0},
};

static struct {
    unsigned count; /* of them that there are in this world */
    struct front fronts[FRONTS];
    enum phase phase;
    uint64_t seed;
    uint32_t requests; /* of each queue */
    unsigned still;
    bool settled[FRONTS]; /* its state was Connected when its back end started anew */
    bool hung;
    jmp_buf quiet;
} t;

int irq_alloc(uint64_t *address, uint32_t *data)
{
    struct evtchn_bind_virq bind = {.virq = 1};

    EXPECT(hcall_event_bind_virq(&bind) == 0);
    event_open(bind.port);
    cache.port = bind.port;
    *address = 0xfee00000;
    *data = bind.port;
    return (int)bind.port;
}

static unsigned draw(unsigned below)
{
    t.seed = t.seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(t.seed >> 33) % below;
}

/* ---- the others ------------------------------------------------------------------------------ */

/* Under the directory of a device that was adopted, nobody but the toolstack writes. */
static void nodes_check(void)
{
    const char *heard;

    while (*(heard = builder_heard())) {
        for (unsigned i = 0; i < t.count && t.phase == PHASE_SERVE; i++) {
            const char *path = front_path(&t.fronts[i], true, "");

            if (t.settled[i] && strncmp(heard, path, strlen(path)) == 0)
                printf("# written after an adoption: %s\n", heard);
            EXPECT(!t.settled[i] || strncmp(heard, path, strlen(path)) != 0);
        }
    }
}

/* On other CPUs, between two effects of the domain. */
static void others(void)
{
    for (unsigned i = 0; i < t.count; i++)
        front_look(&t.fronts[i]);
    switch (draw(16)) {
    case 0: (void)cache_step(); break;
    case 1: (void)front_step(&t.fronts[draw(t.count)]); break;
    case 2: (void)builder_run_store(); break;
    default: break;
    }
}

static bool phase_is_over(void)
{
    bool over = true;

    for (unsigned i = 0; i < t.count; i++) {
        const struct front *f = &t.fronts[i];

        switch (t.phase) {
        case PHASE_SERVE: over = over && f->data && front_state(f, false) == 4; break;
        case PHASE_CLOSE:
            over = over && front_state(f, false) == 6 && front_state(f, true) == 6;
            break;
        case PHASE_REMOVE: over = over && !vbds.vbds[i].bus.used; break;
        case PHASE_DONE: break;
        }
        over = over && (f->broken || front_is_idle(f));
    }
    return over;
}

/* A phase is over: what must hold then, and the next one's beginning. */
static void phase_next(void)
{
    static unsigned pages;

    for (unsigned i = 0; i < t.count; i++)
        EXPECT(front_is_right(&t.fronts[i]));
    switch (t.phase++) {
    case PHASE_SERVE:
        for (unsigned i = 0; i < t.count; i++)
            EXPECT(vbds.vbds[i].back->pages.unmap_failures == 0);
        break;
    case PHASE_CLOSE:
        EXPECT(fake_mappings(BACK) == 0 && fake_ports(BACK) == 2);
        for (unsigned i = 0; i < t.count; i++)
            builder_remove(front_path(&t.fronts[i], true, ""));
        break;
    case PHASE_REMOVE:
        /* What is left is the disk's. */
        EXPECT(fake_space(BACK) == 0);
        pages = pages ? pages : fake_pages(BACK);
        EXPECT(fake_pages(BACK) == pages);
        break;
    case PHASE_DONE: break;
    }
}

static bool fronts_wake(void)
{
    bool any = false;

    for (unsigned i = 0; i < t.count; i++)
        any = front_wake(&t.fronts[i]) || any;
    return any;
}

/* The domain sleeps: all others go on, in turns. */
static bool idle(void *context)
{
    bool any = false;

    (void)context;
    any = builder_run_store();
    for (unsigned n = draw(3); n > 0; n--)
        any = cache_step() || any;
    for (unsigned i = 0; i < t.count; i++)
        any = front_step(&t.fronts[i]) || any;
    any = any || cache_step();
    if (!any)
        nodes_check();
    for (unsigned i = 0; i < t.count && !any; i++)
        any = front_shake(&t.fronts[i], t.phase == PHASE_CLOSE, t.requests);
    any = any || builder_run_store();
    t.still = any ? 0 : t.still + 1;
    if (!any && !fronts_wake() && phase_is_over())
        phase_next();
    /* Whoever sleeps until then wakes. */
    if (!any)
        fake_clock_advance(CATCH_UP_NS);
    t.hung = t.still > STILL;
    if (t.hung || t.phase == PHASE_DONE)
        longjmp(t.quiet, 1);
    return true;
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void life(void)
{
    static char name[] = "block";
    char *words[] = {name, NULL};

    if (setjmp(t.quiet) == 0) {
        (void)driver_main(1, words);
        EXPECT(false); /* it never ends by itself */
        t.hung = true;
    }
}

/* The same each time: a partition for each kind of device. */
static void disk_make(void)
{
    static uint8_t bytes[MODEL_BYTES];

    if (bytes[510] == 0) {
        memcpy(bytes, model.bytes, MODEL_BYTES);
        gpt_make(bytes, MODEL_BYTES / 512);
        for (unsigned i = 0; i < FRONTS; i++) {
            struct front f = {.index = i};

            gpt_add(i, FIRST(i), FRONT_SECTORS);
            for (uint32_t n = 0; n < FRONT_SECTORS; n++)
                front_fill(&f, bytes + (FIRST(i) + n) * 512, n, FRONT_VERSION);
        }
        gpt_seal();
    }
    memcpy(model.bytes, bytes, MODEL_BYTES);
    memcpy(cache.medium, bytes, MODEL_BYTES);
}

/* With some of the devices. */
static void begin(uint64_t seed, uint32_t requests, unsigned first, unsigned count)
{
    memset(&t, 0, sizeof(t));
    t.count = count;
    t.seed = seed;
    t.requests = requests;
    fake_reset();
    cache_init(BACK, seed);
    for (unsigned i = 0; i < t.count; i++) {
        t.fronts[i] = kinds[first + i];
        t.fronts[i].index = first + i;
        t.fronts[i].back = BACK;
        t.fronts[i].seed = seed + i;
        t.fronts[i].first = FIRST(first + i);
        front_init(&t.fronts[i]);
    }
    disk_make();
    builder_begin(BACK);
    for (unsigned i = 0; i < t.count; i++)
        front_add(&t.fronts[i]);
    builder_watch("/local/domain/1/backend");
    steps.others = others;
    played.before = steps_effect;
    fake_idle(idle, NULL);
}

static void end(void)
{
    EXPECT(!t.hung && !model.master_early && model.blocked == 0);
    if (!t.hung)
        EXPECT(t.phase == PHASE_DONE);
    shm_hook_set(NULL);
    played.before = NULL;
    builder_end();
}

/* How many survivor records are this one's, by the word before each. */
static unsigned keep_count(uint64_t owner)
{
    domid_t before = fake_enter(BACK);
    const uint64_t *at = memory_survivor(KEEP_LEN);
    size_t step = KEEP_LEN / VBDS_MAX / sizeof(*at);
    unsigned count = 0;

    (void)fake_enter(before);
    for (unsigned n = 0; n < VBDS_MAX; n++)
        count += at[n * step] == owner;
    return count;
}

/* Each device has one record at most, and each that is connected has one. */
static void keep_check(void)
{
    for (unsigned i = 0; i < t.count; i++) {
        const struct front *f = &t.fronts[i];
        unsigned found = keep_count((uint64_t)f->domid << 32 | (51712 + 16 * f->index));

        EXPECT(found <= 1 && (found == 1 || front_state(f, true) != 4));
    }
}

/* What lies in the survivor pages, if the dead were of bad will: noise, or all the same. */
static void keep_spoil(void)
{
    domid_t before = fake_enter(BACK);
    uint8_t *bytes = memory_survivor(KEEP_LEN);
    unsigned how = draw(3);

    (void)fake_enter(before);
    for (size_t i = 0; i < KEEP_LEN; i++)
        bytes[i] = how == 0 ? (uint8_t)draw(256) : (uint8_t) - (how == 1);
    for (size_t i = 0; how == 2 && i < VBDS_MAX; i++)
        ((uint64_t *)(void *)bytes)[i * KEEP_LEN / VBDS_MAX / 8] = 2ull << 32 | 51712;
}

/* What the core, the toolstack and the device make of a death. */
static void succeed(bool spoil)
{
    bool is_torn = false;

    cache_death();
    store_close(&store);
    nodes_check();
    for (unsigned i = 0; i < t.count; i++) {
        front_look(&t.fronts[i]);
        is_torn = is_torn || front_is_torn(&t.fronts[i]);
        t.settled[i] = front_state(&t.fronts[i], true) == 4;
    }
    torn += is_torn;
    if (spoil && !is_torn)
        keep_spoil();
    else if (!spoil)
        keep_check();
    builder_renew(draw(8));
    for (unsigned i = 0; i < t.count; i++)
        EXPECT(front_is_let_go(&t.fronts[i]));
}

static void last_life(void)
{
    t.requests = 0;
    for (unsigned i = 0; i < t.count; i++)
        for (unsigned q = 0; q < FRONT_QUEUES; q++)
            t.fronts[i].queues[q].left = 0;
    EXPECT(!steps_run(life, BACK, 0));
    end();
}

TEST(it_lives)
{
    for (uint64_t seed = 1; seed < 10; seed++) {
        begin(seed, 40, 0, FRONTS);
        EXPECT(!steps_run(life, BACK, 0));
        end();
        EXPECT(keep_count(0) == VBDS_MAX);
    }
}

static void kill_everywhere(unsigned kind)
{
    unsigned n = 1, mask = 0;

    torn = 0;
    for (bool more = true; more;) {
        begin(n & 3, 8, kind, 1);
        more = steps_run(life, BACK, n);
        /* A store of two words, which may be an answer's: each of them alone, and both. */
        bool again = more && steps_tearable() == 2 && mask < 2;

        if (more) {
            steps_tear(mask);
            succeed(false);
            EXPECT(!steps_run(life, BACK, 0));
        }
        end();
        mask = again ? mask + 1 : 0;
        n += !again;
    }
    printf("# %u effects, %u answers begun\n", n - 2, torn);
    EXPECT(n > 500 && torn > 10);
}

TEST(killed_at_every_effect)
{
    kill_everywhere(0);
}

TEST(killed_at_every_effect_without_persistent_grants)
{
    kill_everywhere(2);
}

/* In a world where guests go on and on: the n-th life dies at its effect number n. */
TEST(every_successor_dies)
{
    torn = 0;
    begin(1, UINT32_MAX, 0, FRONTS);
    for (unsigned n = 1; n < 1600 && !t.hung; n++) {
        EXPECT(steps_run(life, BACK, n));
        steps_tear(draw(4));
        succeed(false);
    }
    printf("# %u answers begun\n", torn);
    EXPECT(torn > 10);
    last_life();
}

/* What the dead left for the next life is noise, and no answer was begun: nothing depends on it. */
TEST(nothing_is_believed)
{
    begin(2, UINT32_MAX, 0, FRONTS);
    for (unsigned n = 0; n < 300 && !t.hung; n++) {
        EXPECT(steps_run(life, BACK, 1 + draw(2500)));
        steps_tear(draw(4));
        succeed(true);
    }
    last_life();
}
