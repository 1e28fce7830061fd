/* The handshake, walked as stock front ends do, and everything else. */
#include "blk_bus.h"

#include "check.h"

TEST(plain_connect)
{
    EXPECT(blk_bus_step(1, 1, true) == BLK_STEP_OFFER);
    EXPECT(blk_bus_step(2, 1, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(2, 3, true) == BLK_STEP_CONNECT);
    EXPECT(blk_bus_step(4, 3, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(4, 4, true) == BLK_STEP_NONE);
}

TEST(front_end_closes_and_comes_back)
{
    EXPECT(blk_bus_step(4, 5, true) == BLK_STEP_CLOSING);
    EXPECT(blk_bus_step(5, 5, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(5, 6, true) == BLK_STEP_CLOSE);
    EXPECT(blk_bus_step(6, 6, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(6, 1, true) == BLK_STEP_OFFER);
}

TEST(reset_without_closing)
{
    EXPECT(blk_bus_step(4, 1, true) == BLK_STEP_CLOSE);
    EXPECT(blk_bus_step(6, 1, true) == BLK_STEP_OFFER);
}

TEST(toolstack_removes_a_dead_guest)
{
    for (unsigned front = 0; front <= 8; front++) {
        EXPECT(blk_bus_step(5, front, false) == BLK_STEP_CLOSE);
        EXPECT(blk_bus_step(6, front, false) == BLK_STEP_NONE);
        /* Our own write came after the toolstack's and hides its 5. */
        EXPECT(blk_bus_step(4, front, false) == BLK_STEP_CLOSE);
        EXPECT(blk_bus_step(2, front, false) == BLK_STEP_CLOSE);
    }
}

TEST(states_that_are_none)
{
    EXPECT(blk_bus_step(4, 0, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(4, 4000000000u, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(0, 3, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(77, 3, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(6, 3, true) == BLK_STEP_NONE);
    EXPECT(blk_bus_step(2, 5, true) == BLK_STEP_CLOSING);
}
