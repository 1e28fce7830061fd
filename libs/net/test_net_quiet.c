/* When a front end is told that its packets were sent: with other news, for many, or in the end. */
#include "net_back.h"

#include "check.h"
#include "rig.h"

static struct rig rig;

static void start(void)
{
    rig_init(&rig, 1, true);
    EXPECT(rig_connect(&rig, false) == 0);
    for (uint32_t i = 0; i < RIG_GUESTS; i++)
        rig_post(&rig, i, 0, RIG_BUFFERS);
    rig_run(&rig);
}

static struct net_back *back(uint32_t side)
{
    return rig.sides[side].back;
}

static void send(uint32_t side, uint32_t count, uint32_t len)
{
    for (uint32_t i = 0; i < count; i++)
        (void)rig_send(&rig, side, 0, &(struct rig_frame){.seed = i, .len = len});
    rig_kick(&rig, side, 0);
    rig_run(&rig);
}

static bool is_told(uint32_t side)
{
    return fake_pending(RIG_GUEST(side), rig.sides[side].link.queues[0].tx_port);
}

TEST(one_small_packet_is_told_of_in_the_end)
{
    start();
    send(0, 1, 98);
    EXPECT(!is_told(0) && back(0)->events == 0);
    EXPECT(net_back_expire(back(0), 1000) == 1000 + NET_QUIET_NS);
    EXPECT(net_back_expire(back(0), 2000) == 1000 + NET_QUIET_NS);
    EXPECT(!rig_round(&rig) && !is_told(0));
    EXPECT(net_back_expire(back(0), 1000 + NET_QUIET_NS) <= 1000 + NET_QUIET_NS);
    EXPECT(!rig_round(&rig) && is_told(0) && back(0)->events == 1);
    EXPECT(net_back_expire(back(0), 1001 + NET_QUIET_NS) == UINT64_MAX);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 1);
    rig_disconnect(&rig);
}

TEST(a_frame_for_it_brings_the_news)
{
    start();
    send(0, 1, 98);
    EXPECT(!is_told(0));
    send(1, 1, 98);
    EXPECT(is_told(0) && !is_told(1));
    EXPECT(fake_pending(RIG_GUEST(0), rig.sides[0].link.queues[0].rx_port));
    EXPECT(back(0)->events == 2 && back(1)->events == 1);
    EXPECT(net_back_expire(back(0), 1000) == UINT64_MAX);
    rig_disconnect(&rig);
}

TEST(what_a_sender_may_wait_for_is_told_at_once)
{
    start();
    send(0, 1, NET_QUIET_BYTES);
    EXPECT(is_told(0));
    rig_disconnect(&rig);

    start();
    send(0, NET_QUIET_SLOTS, 60);
    EXPECT(is_told(0));
    rig_disconnect(&rig);

    start();
    send(0, NET_QUIET_SLOTS - 1, 60);
    EXPECT(!is_told(0));
    send(0, 1, 60);
    EXPECT(is_told(0));
    rig_disconnect(&rig);
}

/* A front end that looked by itself does not have to be woken for that any more. */
TEST(who_has_seen_it_is_not_told)
{
    struct netif_tx_response response;

    start();
    send(0, 1, 60);
    (void)fake_enter(RIG_GUEST(0));
    EXPECT(net_front_answer(&rig.sides[0].front[0], &response) == 1);
    EXPECT(net_front_answer(&rig.sides[0].front[0], &response) == 0);
    (void)fake_enter(RIG_BACK);
    (void)net_back_expire(back(0), 1000);
    (void)net_back_expire(back(0), 1000 + NET_QUIET_NS);
    EXPECT(!rig_round(&rig) && !is_told(0) && back(0)->events == 0);
    EXPECT(net_back_expire(back(0), 1001 + NET_QUIET_NS) == UINT64_MAX);
    rig_disconnect(&rig);
}

/* The deadline is of one connection: the next one begins without. */
TEST(a_new_connection_begins_quiet)
{
    start();
    send(0, 1, 60);
    rig_disconnect(&rig);
    start();
    EXPECT(net_back_expire(back(0), 1000) == UINT64_MAX);
    rig_disconnect(&rig);
}
