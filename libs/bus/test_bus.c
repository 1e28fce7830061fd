/* The handshake, walked as stock front ends do, and everything else. */
#include "bus.h"

#include "check.h"

TEST(plain_connect)
{
    EXPECT(bus_next(1, 1, true) == BUS_STEP_OFFER);
    EXPECT(bus_next(2, 1, true) == BUS_STEP_NONE);
    EXPECT(bus_next(2, 3, true) == BUS_STEP_CONNECT);
    EXPECT(bus_next(4, 3, true) == BUS_STEP_NONE);
    EXPECT(bus_next(4, 4, true) == BUS_STEP_NONE);
}

TEST(front_end_closes_and_comes_back)
{
    EXPECT(bus_next(4, 5, true) == BUS_STEP_CLOSING);
    EXPECT(bus_next(5, 5, true) == BUS_STEP_NONE);
    EXPECT(bus_next(5, 6, true) == BUS_STEP_CLOSE);
    EXPECT(bus_next(6, 6, true) == BUS_STEP_NONE);
    EXPECT(bus_next(6, 1, true) == BUS_STEP_OFFER);
}

TEST(reset_without_closing)
{
    EXPECT(bus_next(4, 1, true) == BUS_STEP_CLOSE);
    EXPECT(bus_next(6, 1, true) == BUS_STEP_OFFER);
}

TEST(toolstack_removes_a_dead_guest)
{
    for (unsigned front = 0; front <= 8; front++) {
        EXPECT(bus_next(5, front, false) == BUS_STEP_CLOSE);
        EXPECT(bus_next(6, front, false) == BUS_STEP_NONE);
        /* Our own write came after the toolstack's and hides its 5. */
        EXPECT(bus_next(4, front, false) == BUS_STEP_CLOSE);
        EXPECT(bus_next(2, front, false) == BUS_STEP_CLOSE);
    }
}

TEST(front_end_changes_what_it_wants_while_connected)
{
    EXPECT(bus_next(4, 7, true) == BUS_STEP_RECONFIGURE);
    EXPECT(bus_next(8, 7, true) == BUS_STEP_NONE);
    EXPECT(bus_next(8, 4, true) == BUS_STEP_RESUME);
    EXPECT(bus_next(8, 5, true) == BUS_STEP_CLOSING);
    EXPECT(bus_next(8, 4, false) == BUS_STEP_CLOSE);
    EXPECT(bus_next(2, 7, true) == BUS_STEP_NONE);
}

TEST(states_that_are_none)
{
    EXPECT(bus_next(4, 0, true) == BUS_STEP_NONE);
    EXPECT(bus_next(4, 4000000000u, true) == BUS_STEP_NONE);
    EXPECT(bus_next(0, 3, true) == BUS_STEP_NONE);
    EXPECT(bus_next(77, 3, true) == BUS_STEP_NONE);
    EXPECT(bus_next(6, 3, true) == BUS_STEP_NONE);
    EXPECT(bus_next(2, 5, true) == BUS_STEP_CLOSING);
}
