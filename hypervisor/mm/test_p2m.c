#include "mm/p2m.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <abi/xen.h>

#include <arch/cpu.h>

#include "domain/domain.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define DOMAINS_FIRST (FAKE_FIRST + FAKE_POOL)

static struct domain d;
static struct p2m *const p2m = &d.p2m;

static void start(void)
{
    fake_machine();
    d = (struct domain){.frames_max = 100000};
    EXPECT(p2m_init(p2m, &d) == 0);
}

static void finish(void)
{
    uint64_t free = frame_free();

    p2m_fini(p2m);
    EXPECT(pool_bytes_free() == (uint64_t)FAKE_POOL << PAGE_SHIFT);
    EXPECT(frame_free() >= free);
}

static mfn_t frame(unsigned order)
{
    mfn_t m = frame_alloc(1, order);

    EXPECT(!mfn_is_none(m));
    return m;
}

static int map(uint64_t gfn, mfn_t m, unsigned order, enum p2m_type type)
{
    return p2m_map(p2m, (gfn_t){gfn}, m, order, type);
}

static uint64_t lookup(uint64_t gfn)
{
    enum p2m_type type;

    return p2m_lookup(p2m, (gfn_t){gfn}, &type).v;
}

/* As the CPU walks: present bit, large bit, address, nothing of ours. */
static uint64_t walk_as_cpu(uint64_t gfn)
{
    const uint64_t *table = p2m->root;

    for (unsigned level = 3;; level--) {
        uint64_t e = table[gfn >> 9 * level & 511];
        if (!(e & 1))
            return FRAME_NONE;
        uint64_t mfn = (e & 0x000ffffffffff000) >> PAGE_SHIFT;
        if (level == 0 || e & 0x80)
            return mfn + (gfn & ((1ull << 9 * level) - 1));
        table = fake_frame(mfn);
    }
}

/*
 * While an operation goes on, what its range does not cover stays as it was,
 * and what it covers is either as before or as after.
 */
static struct {
    uint64_t first, count; /* the range of the operation */
    uint64_t watched;      /* gfns 0 ... watched - 1 */
    uint64_t before[2048], after[2048];
    unsigned stores;
} history;

static void check_prefix(uint64_t *slot, uint64_t old, uint64_t value)
{
    bool safe = true;

    (void)slot, (void)old, (void)value;
    history.stores++;
    for (uint64_t g = 0; g < history.watched; g++) {
        uint64_t now = walk_as_cpu(g);
        bool inside = g - history.first < history.count;
        safe = safe && (now == history.before[g] || (inside && now == history.after[g]));
        safe = safe && lookup(g) == now;
    }
    EXPECT(safe);
}

static void watch(uint64_t first, uint64_t count, uint64_t base)
{
    history.first = first;
    history.count = count;
    history.watched = 2048;
    history.stores = 0;
    for (uint64_t g = 0; g < history.watched; g++) {
        history.before[g] = walk_as_cpu(g);
        bool inside = g - first < count;
        history.after[g] = !inside              ? history.before[g]
                           : base == FRAME_NONE ? FRAME_NONE
                                                : base + (g - first);
    }
    fake_on_table = check_prefix;
}

static void watched(void)
{
    fake_on_table = NULL;
    EXPECT(history.stores > 0);
    for (uint64_t g = 0; g < history.watched; g++)
        EXPECT(walk_as_cpu(g) == history.after[g]);
}

TEST(what_comes_in_place_of_a_hole_is_found)
{
    static const enum p2m_type holes[] = {P2M_HOLE, P2M_SCRATCH};
    enum p2m_type type;

    start();
    for (uint64_t i = 0; i < 2; i++) {
        mfn_t page = {pool_mfn(d.p2m.root).v}, ram = frame(0);

        EXPECT(map(i, page, 0, holes[i]) == 0);
        EXPECT(p2m_lookup(p2m, (gfn_t){i}, &type).v == page.v && type == holes[i]);
        EXPECT(map(i, ram, 0, P2M_RAM) == 0);
        EXPECT(p2m_lookup(p2m, (gfn_t){i}, &type).v == ram.v && type == P2M_RAM);
    }
    finish();
}

TEST(map_look_up_unmap)
{
    enum p2m_type type;
    mfn_t m, got;

    start();
    m = frame(0);
    EXPECT(lookup(5) == FRAME_NONE);
    EXPECT(map(5, m, 0, P2M_RAM) == 0);
    EXPECT(lookup(5) == m.v && lookup(4) == FRAME_NONE && lookup(6) == FRAME_NONE);
    EXPECT(map(5, m, 0, P2M_RAM) == -XEN_EEXIST);
    EXPECT(p2m->ram_end == 6);
    EXPECT(p2m_take(p2m, (gfn_t){5}, P2M_ALL, &got, &type) == 0 && got.v == m.v && type == P2M_RAM);
    EXPECT(p2m_take(p2m, (gfn_t){5}, P2M_ALL, &got, &type) == 0 && mfn_is_none(got) &&
           type == P2M_EMPTY);
    frame_put(m);
    finish();
}

/* Between a look and an unmap another CPU may put something else there: the type counts then. */
TEST(only_the_wanted_types_are_taken)
{
    enum p2m_type type;
    mfn_t m, got;

    start();
    m = frame(0);
    EXPECT(map(5, m, 0, P2M_GRANT) == 0);
    EXPECT(p2m_take(p2m, (gfn_t){5}, 1u << P2M_RAM, &got, &type) == -XEN_EPERM);
    EXPECT(mfn_is_none(got) && lookup(5) == m.v);
    EXPECT(p2m_take(p2m, (gfn_t){6}, 1u << P2M_RAM, &got, &type) == -XEN_EPERM);
    EXPECT(p2m_take(p2m, (gfn_t){6}, P2M_HOLES, &got, &type) == 0 && type == P2M_EMPTY);
    EXPECT(p2m_take(p2m, (gfn_t){5}, 1u << P2M_GRANT, &got, &type) == 0 && got.v == m.v);
    EXPECT(lookup(5) == FRAME_NONE);
    frame_put(m);
    finish();
}

TEST(arguments)
{
    start();
    mfn_t m = frame(9);
    EXPECT(map(1, m, 9, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(512, (mfn_t){m.v + 1}, 9, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(0, m, 3, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(p2m_gfn_limit(), m, 0, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(UINT64_MAX, m, 0, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(UINT64_MAX & ~511ull, m, 9, P2M_RAM) == -XEN_EINVAL);
    EXPECT(map(0, m, 0, P2M_EMPTY) == -XEN_EINVAL);
    EXPECT(lookup(UINT64_MAX) == FRAME_NONE && lookup(p2m_gfn_limit()) == FRAME_NONE);
    EXPECT(map(p2m_gfn_limit() - 512, m, 9, P2M_RAM) == 0);
    EXPECT(lookup(p2m_gfn_limit() - 1) == m.v + 511);
    finish();
}

TEST(types_and_rights)
{
    static const struct {
        enum p2m_type type;
        bool read, write, own;
    } rights[] = {
        {P2M_RAM, true, true, true},     {P2M_RAM_RO, true, false, false},
        {P2M_GRANT, true, true, false},  {P2M_GRANT_RO, true, false, false},
        {P2M_SHARED, true, true, false}, {P2M_DEVICE, false, false, false},
    };

    start();
    for (unsigned i = 0; i < 6; i++) {
        mfn_t m = rights[i].type == P2M_SHARED ? (mfn_t){FAKE_FIRST + 1} : frame(0), got;
        enum p2m_type type;
        EXPECT(map(i, m, 0, rights[i].type) == 0);
        got = p2m_get(p2m, (gfn_t){i}, P2M_READABLE);
        EXPECT(mfn_is_none(got) == !rights[i].read);
        if (!mfn_is_none(got))
            frame_put(got);
        got = p2m_get(p2m, (gfn_t){i}, P2M_WRITABLE);
        EXPECT(mfn_is_none(got) == !rights[i].write);
        if (!mfn_is_none(got))
            frame_put(got);
        got = p2m_get(p2m, (gfn_t){i}, P2M_OWN);
        EXPECT(mfn_is_none(got) == !rights[i].own);
        if (!mfn_is_none(got))
            frame_put(got);
        EXPECT(p2m_lookup(p2m, (gfn_t){i}, &type).v == m.v && type == rights[i].type);
    }
    EXPECT(mfn_is_none(p2m_get(p2m, (gfn_t){77}, P2M_READABLE)));
    finish();
}

TEST(every_prefix_of_mapping_is_safe)
{
    start();
    mfn_t small = frame(0), large = frame(9);
    watch(3, 1, small.v);
    EXPECT(map(3, small, 0, P2M_RAM) == 0);
    watched();
    watch(1024, 512, large.v);
    EXPECT(map(1024, large, 9, P2M_RAM) == 0);
    watched();
    finish();
}

TEST(every_prefix_of_splitting_is_safe)
{
    enum p2m_type type;
    mfn_t got;

    start();
    mfn_t large = frame(9), other = frame(9);
    EXPECT(map(512, large, 9, P2M_RAM) == 0);
    EXPECT(map(1024, other, 9, P2M_RAM) == 0);
    watch(600, 1, FRAME_NONE);
    EXPECT(p2m_take(p2m, (gfn_t){600}, P2M_ALL, &got, &type) == 0);
    watched();
    EXPECT(got.v == large.v + 88 && type == P2M_RAM);
    frame_put(got);
    finish();
}

/* 1 GiB of device memory: no frames behind it are touched. */
TEST(giant_pages_split_twice)
{
    enum p2m_type type;
    mfn_t got;

    start();
    EXPECT(map(0, (mfn_t){1u << 18}, 18, P2M_DEVICE) == 0);
    watch(700, 1, FRAME_NONE);
    EXPECT(p2m_take(p2m, (gfn_t){700}, P2M_ALL, &got, &type) == 0);
    watched();
    EXPECT(got.v == (1u << 18) + 700 && type == P2M_DEVICE);
    EXPECT(lookup(699) == (1u << 18) + 699 && lookup((1u << 18) - 1) == (1u << 19) - 1);
    EXPECT(map(0, (mfn_t){1u << 18}, 18, P2M_DEVICE) == -XEN_EEXIST);
    finish();
}

/* While CPU 1 may still use the empty table, it is not given away. */
static uint64_t pool_then;

static void leave_guest(unsigned id)
{
    EXPECT(id == 1);
    EXPECT(pool_bytes_free() == pool_then);
    p2m->running = 0;
}

TEST(an_empty_table_gives_way_after_a_flush)
{
    enum p2m_type type;
    mfn_t got;

    start();
    mfn_t m = frame(0), large = frame(9);
    EXPECT(map(512, m, 0, P2M_RAM) == 0);
    EXPECT(map(512, large, 9, P2M_RAM) == -XEN_EEXIST);
    EXPECT(p2m_take(p2m, (gfn_t){512}, P2M_ALL, &got, &type) == 0);
    frame_put(got);
    pool_then = pool_bytes_free();
    p2m->running = 1u << 1;
    fake_on_kick = leave_guest;
    EXPECT(map(512, large, 9, P2M_RAM) == 0);
    EXPECT(p2m->running == 0 && pool_bytes_free() == pool_then + PAGE_SIZE);
    finish();
}

TEST(references_come_back)
{
    start();
    uint64_t free = frame_free();
    EXPECT(map(0, frame(9), 9, P2M_RAM) == 0);
    EXPECT(map(512, frame(0), 0, P2M_RAM) == 0);
    mfn_t foreign = frame_alloc(2, 0);
    frame_get(foreign);
    EXPECT(map(513, foreign, 0, P2M_GRANT_RO) == 0);
    p2m_fini(p2m);
    EXPECT(frame_free() == free - 1);
    frame_put(foreign);
    EXPECT(frame_free() == free);
    EXPECT(lookup(0) == FRAME_NONE);
    EXPECT(mfn_is_none(p2m_get(p2m, (gfn_t){0}, P2M_READABLE)));
    p2m_fini(p2m);
}

TEST(a_guest_cannot_eat_the_pool_by_far_apart_mappings)
{
    unsigned n = 0;

    start();
    d.frames_max = 512;
    while (n < 200 && map((uint64_t)n << 18, (mfn_t){FAKE_FIRST + 1}, 0, P2M_SHARED) == 0)
        n++;
    EXPECT(n > 10 && n < 70);
    EXPECT(pool_bytes_free() > (FAKE_POOL - 100) * (uint64_t)PAGE_SIZE);
    finish();
}

TEST(no_memory_for_a_table)
{
    void *all[FAKE_POOL];
    unsigned n = 0;
    enum p2m_type type;
    mfn_t got;

    start();
    EXPECT(map(512, frame(9), 9, P2M_RAM) == 0);
    while (n < FAKE_POOL && (all[n] = pool_alloc(0)) != NULL)
        n++;
    EXPECT(p2m_take(p2m, (gfn_t){513}, P2M_ALL, &got, &type) == -XEN_ENOMEM);
    EXPECT(lookup(513) != FRAME_NONE);
    EXPECT(map(0, (mfn_t){FAKE_FIRST}, 0, P2M_SHARED) == -XEN_ENOMEM);
    while (n > 0)
        pool_free(all[--n], 0);
    finish();
}
