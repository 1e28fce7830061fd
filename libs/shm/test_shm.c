/* Shared memory is read once, and a test can see and change it in between. */
#include "shm.h"

#include "check.h"

struct trace {
    unsigned reads;
    unsigned writes;
};

static void flip(void *context, void *shared, size_t len)
{
    struct trace *trace = context;

    (void)len;
    trace->reads++;
    *(uint8_t *)shared ^= 0xff;
}

static void count(void *context, void *shared, size_t len)
{
    struct trace *trace = context;

    (void)shared;
    (void)len;
    trace->writes++;
}

TEST(read_gives_the_value_before_the_hook)
{
    struct trace trace = {0};
    struct shm_hook hook = {flip, count, &trace};
    uint32_t word = 0x11223344;

    shm_hook_set(&hook);
    EXPECT(shm_read32(&word) == 0x11223344);
    EXPECT(shm_read32(&word) == 0x112233bb);
    shm_hook_set(NULL);
    EXPECT(trace.reads == 2 && trace.writes == 0);
}

TEST(writes_are_seen)
{
    struct trace trace = {0};
    struct shm_hook hook = {flip, count, &trace};
    uint64_t area[2] = {0};
    uint16_t flags = 5;

    shm_hook_set(&hook);
    shm_write8((uint8_t *)area, 1);
    shm_write16((uint16_t *)area, 0x1234);
    shm_write32((uint32_t *)area, 0x12345678);
    shm_write64(area, 0x1122334455667788);
    EXPECT(!shm_swap16(&flags, 4, 9));
    EXPECT(shm_swap16(&flags, 5, 9));
    shm_copy_out(area, "sixteen bytes ok", 16);
    shm_hook_set(NULL);
    EXPECT(trace.writes == 7 && trace.reads == 0);
    EXPECT(flags == 9);
    EXPECT(((uint8_t *)area)[15] == 'k');
}

TEST(copies_are_whole)
{
    uint8_t shared[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t own[8] = {0};

    shm_copy_in(own, shared, 5);
    EXPECT(own[4] == 5 && own[5] == 0);
    shm_clear(shared, 7);
    EXPECT(shared[6] == 0 && shared[7] == 8);
    shm_barrier_full();
    EXPECT(shm_read8(&own[1]) == 2);
    EXPECT(shm_read16((uint16_t *)own) == 0x0201);
    EXPECT(shm_read64((uint64_t *)shared) == 8ull << 56);
}
