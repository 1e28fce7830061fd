/* Network interfaces as the store tells of them: a store of a table, two guests, a bridge. */
#include "vif.h"

#include <stdio.h>
#include <string.h>

#include <rt/clock.h>
#include <rt/event.h>

#include "check.h"
#include "fake_store.h"
#include "played.h"
#include "rig.h"

#define BACK(n)  "backend/vif/" #n "/0"
#define FRONT(n) "/local/domain/" #n "/device/vif/0"

int irq_alloc(uint64_t *address, uint32_t *data)
{
    *address = *data = 0;
    return -XEN_ENOSPC;
}

static struct {
    struct rig rig; /* its guests; their back ends are ours */
    struct bridges bridges;
    struct vifs vifs;
    struct store_client store;
} t;

static void fire(const char *path)
{
    (void)fake_enter(RIG_BACK);
    fake_store_fire(&t.vifs.bus, path);
}

static void begin(void)
{
    static char name[] = "net", word[] = "pci=00:05.0";
    char *words[] = {name, word, NULL};

    fake_store_reset();
    rig_init(&t.rig, 1, true);
    played_init(0x1b36, 0x0010, 0x010802);
    (void)fake_enter(RIG_BACK);
    EXPECT(bridges_open(&t.bridges, &t.rig.batch, 2, words) == 0);
    EXPECT(vifs_open(&t.vifs, &t.store, &t.bridges, &t.rig.batch) == 0);
    EXPECT(bus_back_watch(&t.vifs.bus) == 0);
}

static void set(const char *base, const char *name, const char *value)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", base, name);
    node_set(path, value);
}

static void set_number(const char *base, const char *name, uint32_t value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", value);
    set(base, name, text);
}

static void vif_add(const char *back, const char *front, const char *mac)
{
    set(back, "mac", mac);
    set(back, "bridge", "br0");
    set(back, "frontend", front);
    set(back, "online", "1");
    set(back, "state", "1");
    set(front, "state", "1");
}

static void front_nodes(const char *front, uint32_t side)
{
    const struct net_link *link = &t.rig.sides[side].link;

    set_number(front, "tx-ring-ref", link->queues[0].tx_ref);
    set_number(front, "rx-ring-ref", link->queues[0].rx_ref);
    set_number(front, "event-channel-tx", link->queues[0].tx_port);
    set_number(front, "event-channel-rx", link->queues[0].rx_port);
    set(front, "request-rx-copy", "1");
    set(front, "feature-rx-notify", "1");
    set(front, "feature-sg", "1");
    set(front, "feature-gso-tcpv4", "1");
    set(front, "state", "4");
}

static struct vif *vif(uint32_t i)
{
    return &t.vifs.vifs[i];
}

static void offered(void)
{
    begin();
    vif_add(BACK(2), FRONT(2), "52:54:00:00:00:02");
    fire(BACK(2));
    EXPECT(strcmp(node(BACK(2) "/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node(BACK(2) "/state"), "2") == 0);
}

static void connected(void)
{
    offered();
    front_nodes(FRONT(2), 0);
    fire(FRONT(2) "/state");
    EXPECT(strcmp(node(BACK(2) "/state"), "4") == 0 && vif(0)->bridge);
}

static void gone(void)
{
    node_remove("backend/vif/2");
    fire(BACK(2));
    EXPECT(!vif(0)->bus.used && fake_mappings(RIG_BACK) == 0 && fake_watches == 1);
}

TEST(offers_what_the_back_end_has)
{
    offered();
    EXPECT(strcmp(node(BACK(2) "/feature-sg"), "1") == 0);
    EXPECT(strcmp(node(BACK(2) "/feature-rx-copy"), "1") == 0);
    EXPECT(strcmp(node(BACK(2) "/multi-queue-max-queues"), "4") == 0);
    EXPECT(fake_watches == 4);
    gone();
}

static void refused(const char *name, const char *value, const char *why)
{
    begin();
    vif_add(BACK(2), FRONT(2), "52:54:00:00:00:02");
    if (value)
        set(BACK(2), name, value);
    else
        node_remove(name);
    fire(BACK(2));
    EXPECT(strcmp(node(BACK(2) "/hotplug-status"), "error") == 0);
    EXPECT(strstr(node(BACK(2) "/hotplug-error"), why) != NULL);
    EXPECT(strcmp(node(BACK(2) "/state"), "1") == 0);
    gone();
}

TEST(rules_that_make_no_sense)
{
    refused("mac", "52:54:00", "its node mac makes no sense: 52:54:00");
    refused("bridge", "", "its node bridge");
    refused("bridge", "a-name-of-16-byte", "its node bridge");
    refused("mtu", "67", "its node mtu");
    refused("mtu", "1500x", "its node mtu");
    refused("vlan", "5000", "its node vlan");
    refused("filter", "no-nothing", "its node filter");
    refused("ip", "1.2.3", "its node ip");
    refused("isolated", "yes", "its node isolated");
    refused("rate-in", "fast", "its node rate-in");
    refused(BACK(2) "/mac", NULL, "its node mac cannot be read");
    refused(BACK(2) "/frontend", NULL, "its node frontend cannot be read");
}

TEST(rules_are_kept)
{
    begin();
    vif_add(BACK(2), FRONT(2), "52:54:00:00:00:02");
    set(BACK(2), "mtu", "9000");
    set(BACK(2), "vlan", "7");
    set(BACK(2), "filter", "no-mac-spoofing");
    set(BACK(2), "isolated", "1");
    set(BACK(2), "rate-out", "1000 2000 300");
    fire(BACK(2));
    front_nodes(FRONT(2), 0);
    fire(FRONT(2) "/state");

    const struct switch_port_config *c = &vif(0)->port.config;

    EXPECT(vif(0)->back->port.abilities.mtu == 9000 && c->vlans.native == 7 && c->isolated);
    EXPECT(c->filters == SWITCH_NO_MAC_SPOOFING && c->rate_out.peak == 2000);
    gone();
}

static void hostile(const char *name, const char *value, const char *why)
{
    offered();
    front_nodes(FRONT(2), 0);
    set(FRONT(2), name, value);
    unsigned lines = fake_log_count();

    fire(FRONT(2) "/state");
    EXPECT(strcmp(node(BACK(2) "/state"), "5") == 0);
    EXPECT(fake_log_count() == lines + 1 && strstr(fake_log_last(), why) != NULL);
    gone();
}

TEST(hostile_front_end_nodes)
{
    hostile("multi-queue-num-queues", "5", "more queues");
    hostile("multi-queue-num-queues", "4294967297", "cannot be read");
    hostile("multi-queue-num-queues", "2", "does not say");
    hostile("tx-ring-ref", "", "does not say");
    hostile("rx-ring-ref", "x", "does not say");
    hostile("tx-ring-ref", "123456789012345678901234567890", "does not say");
    hostile("rx-ring-ref", "4000000000", "closed, its front end");
    hostile("event-channel-tx", "77", "closed, its front end");
    hostile("event-channel-rx", "-1", "does not say");
    hostile("xdp-headroom", "99999999999", "cannot be read");
    hostile("request-rx-copy", "0", "closed, its front end");
}

/* A round of the domain's loop, until nothing is left. */
static void run(void)
{
    bool any = true;

    (void)fake_enter(RIG_BACK);
    for (unsigned rounds = 0; any; rounds++) {
        uint64_t now = clock_now();

        (void)bridges_tick(&t.bridges, now);
        (void)vifs_tick(&t.vifs, now);
        any = bridges_take(&t.bridges, now);
        any = vifs_take(&t.vifs, now) || any;
        bridges_flush(&t.bridges, now);
        any = vifs_answer(&t.vifs) || any;
        EXPECT(rounds < 100);
    }
}

static void both_connected(void)
{
    connected();
    vif_add(BACK(3), FRONT(3), "52:54:00:00:00:03");
    fire(BACK(3));
    front_nodes(FRONT(3), 1);
    fire(FRONT(3) "/state");
    EXPECT(strcmp(node(BACK(3) "/state"), "4") == 0);
    EXPECT(vif(0)->bridge == vif(1)->bridge && vif(0)->bridge->users == 2);
}

/* A frame from guest 2 to guest 3, of a type that nobody looks into. */
static void frame_send(void)
{
    static const uint8_t start[] = "\x52\x54\x00\x00\x00\x03\x52\x54\x00\x00\x00\x02\x12\x34";
    struct rig_side *s = &t.rig.sides[0];
    struct netif_tx_request slot = {.gref = RIG_TX(0), .id = 5, .size = 300};

    (void)fake_enter(RIG_GUEST(0));
    memcpy(rig_out(s, 0), start, 14);
    net_front_slot(&s->front[0], &slot);
    net_front_kick(&s->front[0]);
    (void)fake_enter(RIG_GUEST(1));
    net_front_post(&t.rig.sides[1].front[0], 9, RIG_RX(0));
    net_front_kick(&t.rig.sides[1].front[0]);
}

static void frame_check(void)
{
    struct netif_tx_response answer;
    struct net_front_frame f;

    (void)fake_enter(RIG_GUEST(1));
    EXPECT(net_front_receive(&t.rig.sides[1].front[0], &f) == 1 && f.count == 1);
    EXPECT(f.buffers[0].len == 300);
    EXPECT(memcmp(t.rig.sides[1].in + f.buffers[0].offset, rig_out(&t.rig.sides[0], 0), 300) == 0);
    (void)fake_enter(RIG_GUEST(0));
    EXPECT(net_front_answer(&t.rig.sides[0].front[0], &answer) == 1);
    EXPECT(answer.id == 5 && answer.status == NETIF_RSP_OKAY);
}

TEST(connects_serves_closes_and_comes_back)
{
    both_connected();
    for (int again = 0; again < 2; again++) {
        frame_send();
        run();
        frame_check();
        set(FRONT(2), "state", "5");
        fire(FRONT(2) "/state");
        EXPECT(strcmp(node(BACK(2) "/state"), "5") == 0);
        set(FRONT(2), "state", "6");
        fire(FRONT(2) "/state");
        EXPECT(strcmp(node(BACK(2) "/state"), "6") == 0 && !vif(0)->bridge);
        EXPECT(vif(1)->bridge->users == 1);
        set(FRONT(2), "state", "1");
        fire(FRONT(2) "/state");
        EXPECT(strcmp(node(BACK(2) "/state"), "2") == 0);
        rig_make_guest(&t.rig.sides[0], RIG_GUEST(0), 1, true);
        front_nodes(FRONT(2), 0);
        fire(FRONT(2) "/state");
        EXPECT(strcmp(node(BACK(2) "/state"), "4") == 0);
    }
    node_remove("backend/vif/3");
    fire("backend/vif/3");
    gone();
    EXPECT(!t.bridges.bridges[0].used);
}

TEST(counters_when_asked)
{
    both_connected();
    frame_send();
    run();
    set(BACK(2), "counters-ask", "3");
    fire(BACK(2) "/counters-ask");
    EXPECT(strcmp(node(BACK(2) "/counters"), "3 rx_bytes=0 rx_packets=0 rx_drop=0 tx_bytes=300 "
                                             "tx_packets=1 tx_drop=0") == 0);
    /* The other one has no buffer more: its frames wait, then are lost. */
    frame_check();
    for (int i = 0; i < 2; i++) {
        struct rig_side *s = &t.rig.sides[0];
        struct netif_tx_request slot = {.gref = RIG_TX(0), .id = 6, .size = 100};

        (void)fake_enter(RIG_GUEST(0));
        net_front_slot(&s->front[0], &slot);
        net_front_kick(&s->front[0]);
    }
    run();
    fake_clock_advance(2 * NET_WAIT_NS);
    run();
    set(BACK(3), "counters-ask", "4");
    fire(BACK(3) "/counters-ask");
    EXPECT(strcmp(node(BACK(3) "/counters"), "4 rx_bytes=300 rx_packets=1 rx_drop=2 tx_bytes=0 "
                                             "tx_packets=0 tx_drop=0 drop_rx_no_buffer=2") == 0);
    node_remove("backend/vif/3");
    fire("backend/vif/3");
    gone();
}

TEST(a_lying_ring_loses_its_interface)
{
    both_connected();
    ((struct ring_header *)t.rig.sides[0].front[0].tx.page)->req_prod = 10000;
    unsigned lines = fake_log_count();

    run();
    run();
    EXPECT(fake_log_count() == lines + 1);
    EXPECT(strcmp(node(BACK(2) "/state"), "5") == 0 && !vif(0)->bridge);
    EXPECT(strcmp(node(BACK(3) "/state"), "4") == 0);
    node_remove("backend/vif/3");
    fire("backend/vif/3");
    gone();
}

TEST(wishes_while_connected)
{
    connected();
    set(FRONT(2), "request-multicast-control", "1");
    fire(FRONT(2) "/request-multicast-control");
    EXPECT(strcmp(node(BACK(2) "/state"), "4") == 0);
    set(FRONT(2), "xdp-headroom", "256");
    set(FRONT(2), "state", "7");
    fire(FRONT(2) "/state");
    EXPECT(strcmp(node(BACK(2) "/state"), "8") == 0);
    set(FRONT(2), "state", "4");
    fire(FRONT(2) "/state");
    EXPECT(strcmp(node(BACK(2) "/state"), "4") == 0);
    gone();
}

TEST(cards_that_are_none)
{
    static char name[] = "net", word[] = "pci=00:04.0", other[] = "bridge=lan:0";
    char *words[] = {name, word, other, NULL};

    begin();
    EXPECT(strstr(fake_log_last(), "pci=00:05.0: not one of this domain's devices") != NULL);
    (void)fake_enter(RIG_BACK);
    EXPECT(bridges_open(&t.bridges, &t.rig.batch, 3, words) == 0);
    EXPECT(strstr(fake_log_last(), "00:04.0: no driver for a network card 1b36:0010, class "
                                   "010802: bridge lan joins guests only") != NULL);
}

TEST(paths_that_are_no_interface)
{
    begin();
    fire("backend/vif");
    fire("backend/vif/2");
    fire("backend/vif/2/0x");
    fire("backend/vifx/2/0");
    fire("backend/vbd/2/0");
    fire("backend/vif/70000/0");
    fire("/local/domain/9/device/vif/0/state");
    fire("/local/domain/x/device/vif/0");
    EXPECT(!vif(0)->bus.used);
}
