/* A card that brings more than is received: whom it is for gets the time, not more to lose. */
#include "bridge.h"

#include <string.h>

#include <abi/xen.h>

#include <fake_hv.h>
#include <rt/clock.h>
#include <rt/event.h>

#include "check.h"
#include "played.h"

#define BACK 1

int irq_alloc(uint64_t *address, uint32_t *data)
{
    *address = *data = 0;
    return -XEN_ENOSPC;
}

static struct {
    struct net_batch batch;
    struct bridges bridges;
    struct bridge *bridge;
    struct nic nic;
    uint32_t waiting; /* frames in the card */
    uint32_t armed;
    struct net_packet packet;
    uint8_t frame[NET_HEAD_ROOM + 60];
    struct net_port guest;
    struct switch_port guest_port;
    uint32_t room; /* frames that the guest takes */
} t;

static struct net_packet *card_take(struct nic *n)
{
    static const uint8_t head[] = {0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1, 0x88, 0xb5};

    if (t.waiting == 0)
        return NULL;
    t.waiting--;
    memcpy(t.frame + NET_HEAD_ROOM, head, sizeof(head));
    t.packet = (struct net_packet){
        .from = &n->port, .refs = 1, .head = t.frame + NET_HEAD_ROOM, .head_len = 60, .len = 60};
    return &t.packet;
}

static bool card_arm(struct nic *n)
{
    (void)n;
    t.armed++;
    return true;
}

static const struct nic_driver card = {.take = card_take, .arm = card_arm};

static enum net_drop port_send(struct net_port *port, struct net_packet *packet, struct net_tag tag)
{
    (void)port, (void)packet, (void)tag;
    if (t.room == 0)
        return NET_DROP_NO_BUFFER;
    t.room--;
    return NET_DROP_NONE;
}

static void port_flush(struct net_port *port)
{
    (void)port;
}

static void port_done(struct net_port *port, struct net_packet *packet)
{
    (void)port, (void)packet;
}

static const struct net_port_driver port_driver = {
    .send = port_send, .flush = port_flush, .done = port_done};

static void port_init(struct net_port *port)
{
    *port = (struct net_port){.driver = &port_driver, .up = true, .abilities = {.mtu = 1500}};
}

static void begin(void)
{
    static const uint8_t mac[] = {0x52, 0x54, 0, 0, 0, 2};
    static char name[] = "net", word[] = "pci=00:05.0";
    struct switch_port_config config = {.uplink = false};
    char *words[] = {name, word, NULL};

    memset(&t, 0, sizeof(t));
    memcpy(config.mac, mac, sizeof(mac));
    fake_reset();
    played_init(0x1b36, 0x0010, 0x010802); /* no network card */
    (void)fake_enter(BACK);
    EXPECT(bridges_open(&t.bridges, &t.batch, 2, words) == 0);
    t.bridge = bridge_get(&t.bridges, "br0");
    t.nic.driver = &card;
    t.nic.out.deadline = UINT64_MAX;
    port_init(&t.nic.port);
    port_init(&t.guest);
    EXPECT(switch_add(t.bridge->sw, &t.bridge->uplink, &t.nic.port,
                      &(struct switch_port_config){.uplink = true}, 0) == 0);
    EXPECT(switch_add(t.bridge->sw, &t.guest_port, &t.guest, &config, 0) == 0);
    t.bridge->nic = &t.nic;
}

TEST(a_flood_waits_in_the_card)
{
    begin();
    t.waiting = 1000;
    t.room = 10;
    EXPECT(bridges_take(&t.bridges, 100));

    uint32_t left = t.waiting;
    uint64_t again = bridges_tick(&t.bridges, 100);

    EXPECT(left > 900 && again > 100 && again <= 5000100);
    EXPECT(!bridges_take(&t.bridges, again - 1) && t.waiting == left);
    EXPECT(bridges_arm(&t.bridges) && t.armed == 0);
    t.room = 1000;
    while (bridges_take(&t.bridges, again))
        ;
    EXPECT(t.waiting == 0 && t.room == 1000 - left);
    EXPECT(bridges_tick(&t.bridges, again) == UINT64_MAX);
    EXPECT(bridges_arm(&t.bridges) && t.armed == 1);
}

/* One guest that takes nothing does not hold back what is for others. */
TEST(a_few_that_are_lost_stop_nobody)
{
    begin();
    t.waiting = 60;
    t.room = 40;
    EXPECT(bridges_take(&t.bridges, 100) && t.waiting == 0);
    EXPECT(bridges_tick(&t.bridges, 100) == UINT64_MAX);
    t.waiting = 1;
    t.room = 1;
    EXPECT(bridges_take(&t.bridges, 101) && t.room == 0);
}
