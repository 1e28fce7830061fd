#include "mm/plan.h"

#include "check.h"

#define MIB 0x100000ull

static struct plan plan;

static int make(const struct memory_range *range, const bool *is_ram, unsigned count,
                struct memory_range module)
{
    const struct plan_input in = {.range = range,
                                  .is_ram = is_ram,
                                  .range_count = count,
                                  .image = {2 * MIB, 2 * MIB + 300000},
                                  .module = module,
                                  .reach = 4096 * MIB};
    return plan_make(&plan, &in);
}

/* Disjoint, whole pages, and nothing that is somebody's. */
static bool is_sane(void)
{
    for (unsigned i = 0; i < plan.free_count; i++) {
        struct memory_range r = plan.free[i];
        if (r.start >= r.end || (r.start | r.end) & PAGE_MASK || r.start < MIB ||
            r.end >> PAGE_SHIFT > plan.frames)
            return false;
        const struct memory_range others[] = {plan.image, plan.module, plan.pool};
        for (unsigned k = 0; k < 3; k++)
            if (r.start < others[k].end && others[k].start < r.end)
                return false;
        for (unsigned k = 0; k < i; k++)
            if (r.start < plan.free[k].end && plan.free[k].start < r.end)
                return false;
    }
    return true;
}

TEST(a_plain_machine)
{
    const struct memory_range range[] = {{0, 0x9fc00}, {0x9fc00, 0xa0000}, {MIB, 512 * MIB}};
    const bool is_ram[] = {true, false, true};

    EXPECT(make(range, is_ram, 3, (struct memory_range){500 * MIB, 501 * MIB + 5}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.pool.start == 490 * MIB); /* below the module's old place */
    EXPECT(plan.module_from == 500 * MIB);
    EXPECT(plan.pool.end - plan.pool.start + plan.image.end - plan.image.start <=
           4 * MIB + plan.ram / 100);
    EXPECT(plan.module.start == 510 * MIB && plan.module.end == 511 * MIB + PAGE_SIZE);
    EXPECT(plan.frames == 512 * MIB >> PAGE_SHIFT);
    EXPECT(plan_covers(&plan, (struct memory_range){2 * MIB, 2 * MIB + 1}));
    EXPECT(!plan_covers(&plan, (struct memory_range){600 * MIB, 601 * MIB}));
}

TEST(reserved_wins_over_ram)
{
    const struct memory_range range[] = {
        {0, 256 * MIB}, {100 * MIB, 300 * MIB}, {40 * MIB + 1, 41 * MIB - 1}};
    const bool is_ram[] = {true, true, false};

    EXPECT(make(range, is_ram, 3, (struct memory_range){0, 0}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.ram == 299 * MIB);
    EXPECT(!plan_covers(&plan, (struct memory_range){40 * MIB, 41 * MIB}));
}

/* UEFI: GRUB leaves the module in the first 64 KiB. */
TEST(module_in_low_memory)
{
    const struct memory_range range[] = {{0, 128 * MIB}};
    const bool is_ram[] = {true};

    EXPECT(make(range, is_ram, 1, (struct memory_range){0x5000, 0x7123}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.module.start == 0x5000 && plan.module.end == 0x8000);
    EXPECT(plan.module_from == 0x5000);
}

/* 16 MiB is a place that others may need. */
TEST(module_goes_up)
{
    const struct memory_range range[] = {{0, 256 * MIB}, {100 * MIB, 101 * MIB}};
    const bool is_ram[] = {true, false};

    EXPECT(make(range, is_ram, 2, (struct memory_range){10 * MIB, 70 * MIB + 1}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.module_from == 10 * MIB && plan.module.start == 194 * MIB);
    EXPECT(plan.module.end == 254 * MIB + PAGE_SIZE && plan.ram == 255 * MIB);
    /* No room above, or not all RAM: it stays. */
    EXPECT(make(range, is_ram, 1, (struct memory_range){30 * MIB, 256 * MIB}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.module_from == 30 * MIB && plan.module.start == 30 * MIB);
    EXPECT(plan.pool.end > 27 * MIB && plan.pool.end <= 30 * MIB);
    EXPECT(make(range, is_ram, 2, (struct memory_range){90 * MIB, 102 * MIB}) == 0);
    EXPECT(plan.module.start == 90 * MIB);
}

/* Large blocks lie above 1 GiB; a pool that fits nowhere below goes to the end. */
TEST(a_large_machine)
{
    const struct memory_range range[] = {{0, 3072 * MIB}};
    const struct memory_range giant[] = {{0, 64 * MIB}, {1024 * MIB, 16384 * MIB}};
    const bool is_ram[] = {true, true};

    EXPECT(make(range, is_ram, 1, (struct memory_range){0, 0}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.pool.end > 1022 * MIB && plan.pool.end <= 1024 * MIB);
    EXPECT(make(giant, is_ram, 2, (struct memory_range){0, 0}) == 0);
    EXPECT(is_sane());
    EXPECT(plan.pool.end > 4094 * MIB && plan.pool.end <= 4096 * MIB);
}

TEST(too_little_and_nonsense)
{
    const struct memory_range range[] = {{0, 4 * MIB}, {UINT64_MAX - 5, UINT64_MAX}, {9, 3}};
    const bool is_ram[] = {true, true, true};

    EXPECT(make(range, is_ram, 3, (struct memory_range){0, 0}) < 0);
    EXPECT(make(range, is_ram, 0, (struct memory_range){0, 0}) < 0);
}

/* More pieces than there is room for: less memory, never wrong memory. */
TEST(a_shattered_map)
{
    static struct memory_range range[2000];
    static bool is_ram[2000];

    range[0] = (struct memory_range){0, 1000 * MIB};
    is_ram[0] = true;
    for (unsigned i = 1; i < 2000; i++)
        range[i] =
            (struct memory_range){(64 + i * 2ull) << PAGE_SHIFT, (65 + i * 2ull) << PAGE_SHIFT};
    EXPECT(make(range, is_ram, 2000, (struct memory_range){0, 0}) == 0);
    EXPECT(is_sane());
}
