#include "switch.h"

#include <check.h>

#include "rig.h"

#define SECOND (1000 * RIG_MS)
#define STEP   (RIG_MS / 10)

static struct rig_seat *const seats = rig.seats;

/* Seat 0 sends to seat 1; each has its limits, in KiB. */
static void start(struct switch_rate out, struct switch_rate in)
{
    rig_start_pages(RIG_PAGES);
    (void)rig_add(0, &(struct switch_port_config){.mac = RIG_MAC(0), .rate_out = out});
    (void)rig_add(1, &(struct switch_port_config){.mac = RIG_MAC(1), .rate_in = in});
    rig_chat(1, RIG_ALL);
    seats[1].counts_only = true;
}

/* TCP with so much payload, cut into parts of 1400 if it is more; whether the switch took it. */
static bool say_tcp(uint32_t payload)
{
    const uint64_t *drops = seats[1].net.counters.out_drops;
    uint64_t before = drops[NET_DROP_RATE] + drops[NET_DROP_NO_BUFFER];
    struct net_packet *p;
    uint8_t *at;

    rig_ethernet(rig_mac(1), rig_mac(0), FRAME_TYPE_IP4);
    at = rig_put("\x45\0\0\0\0\0\x40\0\x40\6\0\0\x0a\0\0\2\x0a\0\0\3", 20);
    switch_put16(at + 2, 40 + payload);
    (void)rig_put("\0\1\0\2\0\0\0\0\0\0\0\0\x50\x10\0\0\0\0\0\0", 20);
    rig_text.len += payload; /* whatever stood there */
    seats[1].room = RIG_FRAMES;
    p = rig_packet(&seats[0], 4096);
    if (payload > 1400) {
        p->gso = NET_GSO_TCP4;
        p->gso_size = 1400;
        p->checksum = NET_CHECKSUM_BLANK;
    }
    rig_input(&seats[0], p);
    rig_flush();
    return drops[NET_DROP_RATE] + drops[NET_DROP_NO_BUFFER] == before;
}

static bool is_near(uint64_t value, uint64_t want, unsigned percent)
{
    return value >= want - want * percent / 100 && value <= want + want * percent / 100;
}

/* Time passes, and the switch is called when it asked for it. */
static void pass(uint64_t ns)
{
    uint64_t end = rig.now + ns, deadline;

    while ((deadline = switch_deadline(&rig.bridge, rig.now)) <= end) {
        if (deadline > rig.now)
            rig.now = deadline;
        seats[1].room = RIG_FRAMES;
        (void)switch_tick(&rig.bridge, rig.now);
    }
    rig.now = end;
}

/* ---- out of a guest: it is not taken from ---------------------------------------------------- */

static uint64_t send_as_allowed(uint64_t ns, uint32_t payload)
{
    uint64_t end = rig.now + ns, before = seats[1].got_bytes;

    while (rig.now < end) {
        uint64_t when = switch_may_send(&seats[0].port, rig.now);

        if (when <= rig.now)
            EXPECT(say_tcp(payload));
        else
            rig.now = when;
    }
    return seats[1].got_bytes - before;
}

TEST(a_guest_is_held_back)
{
    static const uint32_t lengths[] = {1, 1400};

    for (unsigned i = 0; i < 2; i++) {
        start((struct switch_rate){.average = 1000}, (struct switch_rate){0});
        EXPECT(is_near(send_as_allowed(10 * SECOND, lengths[i]), 10 * 1024000, 1));
        EXPECT(seats[0].net.counters.in_drops[NET_DROP_RATE] == 0);
        rig_stop();
    }
}

/* Segments count with the headers that each of them has on the wire. */
TEST(a_guest_is_held_back_by_what_it_is_on_the_wire)
{
    start((struct switch_rate){.average = 1000}, (struct switch_rate){0});
    EXPECT(is_near(send_as_allowed(10 * SECOND, 56000), UINT64_C(10240000) * 1400 / 1454, 2));
    rig_stop();
}

TEST(a_burst_goes_at_the_peak)
{
    start((struct switch_rate){.average = 1000, .peak = 4000, .burst = 1500},
          (struct switch_rate){0});
    /* 3000 KiB/s more than the average for half a second: then the bucket is empty. */
    EXPECT(is_near(send_as_allowed(SECOND / 4, 1400), 1024000, 3));
    EXPECT(is_near(send_as_allowed(SECOND / 4, 1400), 1024000, 3));
    EXPECT(is_near(send_as_allowed(SECOND / 2, 1400), 512000, 3));
    rig.now += SECOND; /* it is quiet, and saves for two thirds of a burst */
    EXPECT(is_near(send_as_allowed(SECOND / 4, 1400), 1024000, 3));
    EXPECT(is_near(send_as_allowed(SECOND, 1400), 1024000 + 1024000 / 4, 3));
    rig_stop();
}

/* A back end that does not ask: the rest is dropped, and no more gets through. */
TEST(who_does_not_ask_gets_no_more)
{
    start((struct switch_rate){.average = 1000}, (struct switch_rate){0});
    for (unsigned i = 0; i < 10000; i++) {
        (void)say_tcp(1400);
        rig.now += RIG_MS / 2;
    }
    EXPECT(is_near(seats[1].got_bytes, 5 * 1024000 + 256 * 1024, 2));
    EXPECT(seats[0].net.counters.in_drops[NET_DROP_RATE] > 5000);
    rig_stop();
}

/* ---- to a guest: frames wait ----------------------------------------------------------------- */

TEST(what_is_too_much_waits_and_then_is_lost)
{
    unsigned taken = 0;

    start((struct switch_rate){0}, (struct switch_rate){.average = 1000});
    for (unsigned i = 0; i < 1000; i++)
        taken += say_tcp(1400);
    EXPECT(seats[1].port.queue.count > 0);
    EXPECT(seats[1].port.queue.bytes <= 128 * 1024 && seats[1].port.queue.bytes > 125 * 1024);
    EXPECT(rig.live == 0);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_RATE] == 1000 - taken);
    pass(SECOND);
    EXPECT(seats[1].got_bytes == (uint64_t)taken * 1454 && seats[1].port.queue.count == 0);
    EXPECT(switch_deadline(&rig.bridge, rig.now) == SWITCH_NEVER);
    rig_stop();
}

/* Segments that are made for a receiver cost it what they are. */
TEST(what_is_cut_is_paid_for)
{
    uint64_t before;

    start((struct switch_rate){0}, (struct switch_rate){.average = 1000});
    seats[1].net.abilities.gso4 = false;
    before = seats[1].got_bytes;
    for (unsigned ms = 0; ms < 5000; ms++) {
        while (say_tcp(14000))
            ;
        pass(RIG_MS);
    }
    EXPECT(is_near(seats[1].got_bytes - before, UINT64_C(5) * 1024000, 2));
    rig_stop();
}

/* Guests that take little do not take the pool from others: each finds some of it. */
TEST(all_find_a_place_to_wait)
{
    struct switch_port_config config = {.rate_in = {.average = 1}};

    rig_start_pages(RIG_PAGES);
    (void)rig_add(0, &(struct switch_port_config){.mac = RIG_MAC(0)});
    for (unsigned n = 1; n < RIG_SEATS; n++) {
        (void)rig_add(n, &config);
        rig_chat(n, rig_mac(0));
    }
    for (unsigned n = 1; n < RIG_SEATS; n++) {
        for (unsigned i = 0; i < 500; i++)
            rig_chat(0, rig_mac(n));
        EXPECT(seats[n].port.queue.count <= 128 && seats[n].port.queue.count >= 12);
    }
    EXPECT(rig.pool.free_made > SWITCH_MADE_MAX / 4);
    rig_stop();
}

/* A port that changes: what waits for it was for another VLAN, or under other rules. */
TEST(what_waits_is_lost_when_the_rules_change)
{
    struct switch_port_config config = {.mac = RIG_MAC(1), .vlans.native = 5};

    start((struct switch_rate){0}, (struct switch_rate){.average = 100});
    for (unsigned i = 0; i < 20; i++)
        EXPECT(say_tcp(1400));

    uint64_t before = seats[1].got_bytes, waits = seats[1].port.queue.count;

    EXPECT(waits > 10);
    switch_change(&seats[1].port, &config, rig.now);
    pass(SECOND);
    EXPECT(seats[1].got_bytes == before);
    EXPECT(seats[1].net.counters.out_drops[NET_DROP_VLAN] == waits);
    rig_stop();
}

/* A wake that comes late costs nothing, as long as it is not very late. */
TEST(late_wakes_cost_nothing)
{
    uint64_t before;

    start((struct switch_rate){0}, (struct switch_rate){.average = 10000});
    before = seats[1].got_bytes;
    for (unsigned ms = 0; ms < 5000; ms++) {
        while (say_tcp(1400))
            ;
        rig.now += RIG_MS;
        if (ms % 9 == 0)
            (void)switch_tick(&rig.bridge, rig.now);
    }
    EXPECT(is_near(seats[1].got_bytes - before, UINT64_C(5) * 10240000, 2));
    rig_stop();
}

/* ---- TCP finds the rate ---------------------------------------------------------------------- */

/*
 * One flow as Reno does it: the window doubles in a round trip until something is lost, is
 * halved then, and grows by one part in each round trip. Frames of a window are as large as it
 * allows. What the switch takes it delivers in order; what it drops is noticed as late as its
 * acknowledgement would have come.
 */
#define MSS      1400u
#define SENT_MAX 4096u

struct sent {
    uint32_t len; /* payload */
    uint32_t wire;
    bool lost;
    uint64_t ack; /* when it is acknowledged, or known to be lost, once its turn was */
};

static struct flow {
    uint64_t rtt;
    double window, threshold;
    uint32_t flying;
    uint64_t recover;                  /* losses of frames before this one are one event */
    uint64_t first, undelivered, next; /* sent[i % SENT_MAX] */
    uint64_t delivered_wire, goodput;
    struct sent sent[SENT_MAX];
} flow;

static void flow_loss(uint64_t which)
{
    if (which < flow.recover)
        return;
    flow.threshold = flow.window / 2 > 2 * MSS ? flow.window / 2 : 2 * MSS;
    flow.window = flow.threshold;
    flow.recover = flow.next;
}

static void flow_deliver(void)
{
    while (flow.undelivered < flow.next) {
        struct sent *s = &flow.sent[flow.undelivered % SENT_MAX];

        if (!s->lost && flow.delivered_wire + s->wire > seats[1].got_bytes)
            return;
        if (!s->lost)
            flow.delivered_wire += s->wire;
        s->ack = rig.now + flow.rtt;
        flow.undelivered++;
    }
}

static void flow_acknowledge(void)
{
    for (; flow.first < flow.undelivered; flow.first++) {
        struct sent *s = &flow.sent[flow.first % SENT_MAX];

        if (s->ack > rig.now)
            break;
        flow.flying -= s->len;
        if (s->lost) {
            flow_loss(flow.first);
            continue;
        }
        flow.goodput += s->len;
        if (flow.window < flow.threshold)
            flow.window += s->len;
        else
            flow.window += (double)MSS * s->len / flow.window;
    }
}

static void flow_send(void)
{
    while (flow.next - flow.first < SENT_MAX && flow.flying < flow.window) {
        uint32_t most = (uint32_t)(flow.window / 2) / MSS * MSS;
        uint32_t len = most < MSS ? MSS : most > 46 * MSS ? 46 * MSS : most;
        struct sent *s = &flow.sent[flow.next++ % SENT_MAX];

        *s = (struct sent){.len = len, .wire = len + 54};
        flow.flying += len;
        s->lost = !say_tcp(len);
    }
}

/* Payload bytes that arrive in so many seconds, the first one not counted. */
static uint64_t run_flow(uint64_t rtt, unsigned seconds)
{
    uint64_t at_start = 0;

    flow = (struct flow){.rtt = rtt, .window = 10 * MSS, .threshold = 1e9};
    flow.delivered_wire = seats[1].got_bytes;
    for (uint64_t t = 0; t < seconds * SECOND; t += STEP) {
        if (t == SECOND)
            at_start = flow.goodput;
        flow_deliver();
        flow_acknowledge();
        flow_send();
        pass(STEP);
    }
    return flow.goodput - at_start;
}

/* The rate that counts is that on the wire: headers of 54 bytes with each 1400. */
static void expect_rate(uint32_t kib, uint64_t rtt, unsigned seconds)
{
    uint64_t want = (uint64_t)kib * 1024 * (seconds - 1) * 1400 / 1454;
    uint64_t is;

    start((struct switch_rate){0}, (struct switch_rate){.average = kib});
    is = run_flow(rtt, seconds);
    EXPECT(is >= want * 90 / 100 && is <= want * 102 / 100);
    rig_stop();
}

TEST(tcp_reaches_the_rate_nearby)
{
    expect_rate(100, RIG_MS / 5, 21);
    expect_rate(1000, RIG_MS / 5, 11);
    expect_rate(12000, RIG_MS / 5, 6);
    expect_rate(100000, RIG_MS / 5, 3);
}

TEST(tcp_reaches_the_rate_far_away)
{
    expect_rate(100, 20 * RIG_MS, 21);
    expect_rate(1000, 20 * RIG_MS, 21);
    expect_rate(12000, 20 * RIG_MS, 21);
}
