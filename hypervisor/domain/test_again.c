/* How often the control domain may come back. */
#include "domain/domain.h"
#include "domain/first.h"

#include "check.h"
#include "fake_arch.h"

#define SECOND 1000000000ull

static struct domain d;

static bool dies_at(uint64_t seconds)
{
    unsigned ended = first_lives.ended;
    bool returns;

    fake_clock = seconds * SECOND;
    first_lives.due = false;
    returns = first_may_return(&d, SHUTDOWN_crash);
    EXPECT(first_lives.due == returns && first_lives.ended == ended + returns);
    return returns;
}

static void begin(void)
{
    fake_machine();
    first_lives = (struct first_lives){0};
    d = (struct domain){.param = {[HVM_PARAM_STORE_EVTCHN] = 3}};
}

TEST(one_that_was_never_up_does_not_return)
{
    begin();
    d.param[HVM_PARAM_STORE_EVTCHN] = 0;
    EXPECT(!dies_at(1) && !dies_at(100));
}

TEST(the_reason_is_kept)
{
    begin();
    EXPECT(first_may_return(&d, SHUTDOWN_poweroff) && first_lives.code == SHUTDOWN_poweroff);
    EXPECT(first_may_return(&d, SHUTDOWN_crash) && first_lives.code == SHUTDOWN_crash);
}

TEST(five_times_in_ten_seconds)
{
    begin();
    for (unsigned i = 0; i < 5; i++)
        EXPECT(dies_at(1 + i));
    EXPECT(!dies_at(10));
}

/* The time slides: the sixth is too much only if the first is not yet ten seconds old. */
TEST(what_is_old_is_forgiven)
{
    begin();
    for (unsigned i = 0; i < 5; i++)
        EXPECT(dies_at(1 + i));
    for (unsigned i = 0; i < 100; i++)
        EXPECT(dies_at(11 + 2 * i));
    EXPECT(!dies_at(11 + 2 * 99) && dies_at(11 + 2 * 100));
}
