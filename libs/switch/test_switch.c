#include "switch.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

struct seat {
    struct net_port net;
    struct switch_port port;
    unsigned sent, flushed, done;
};

static struct switch_bridge bridge;
static struct seat seats[3];

static enum net_drop seat_send(struct net_port *port, struct net_packet *packet, struct net_tag tag)
{
    (void)packet;
    (void)tag;
    ((struct seat *)port)->sent++;
    return NET_DROP_NONE;
}

static void seat_flush(struct net_port *port)
{
    ((struct seat *)port)->flushed++;
}

static void seat_done(struct net_port *port, struct net_packet *packet)
{
    (void)packet;
    ((struct seat *)port)->done++;
}

static const struct net_port_driver driver = {seat_send, seat_flush, seat_done};

static void say(unsigned from, uint8_t to)
{
    uint8_t head[60] = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, (uint8_t)from};
    struct net_packet p = {
        .from = &seats[from].net, .len = 60, .head_len = 60, .head = head, .refs = 1};

    switch_input(&seats[from].port, &p, 1);
    switch_flush(&bridge, 1);
    net_packet_put(&p);
}

TEST(it_learns)
{
    switch_init(&bridge, NULL, 1);
    for (unsigned i = 0; i < 3; i++) {
        seats[i] = (struct seat){.net = {.driver = &driver, .up = true}};
        EXPECT(switch_add(&bridge, &seats[i].port, &seats[i].net, &(struct switch_port_config){},
                          0) == 0);
    }
    say(0, 1);
    EXPECT(seats[0].sent == 0 && seats[1].sent == 1 && seats[2].sent == 1 && seats[0].done == 1);
    say(1, 0);
    EXPECT(seats[0].sent == 1 && seats[2].sent == 1 && seats[0].flushed == 1);
}
