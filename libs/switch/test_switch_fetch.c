#include "switch.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <fake_hv.h>
#include <net_batch.h>
#include <rt/memory.h>

/* A guest of domain 2 sends 3000 bytes, all but the head granted, to a port that cannot cut. */
#define NET_DOMAIN 1
#define GUEST      2
#define REF        50u
#define PAGES      (SWITCH_HEAD_PAGES + 8u)

static struct {
    struct switch_pool pool;
    struct switch_bridge bridge;
    struct net_batch batch;
    struct net_port nets[2];
    struct switch_port ports[2];
    unsigned got, got_len, done;
    uint8_t bytes[4096];
} t;

static enum net_drop take(struct net_port *port, struct net_packet *p, struct net_tag tag)
{
    (void)port;
    (void)tag;
    t.got++;
    memcpy(t.bytes + t.got_len, p->pieces[0].page + p->pieces[0].offset, p->pieces[0].len);
    t.got_len += p->pieces[0].len;
    return NET_DROP_NONE;
}

static void nothing(struct net_port *port)
{
    (void)port;
}

static void done(struct net_port *port, struct net_packet *p)
{
    (void)port;
    (void)p;
    t.done++;
}

static const struct net_port_driver driver = {take, nothing, done};

static uint8_t *start(void)
{
    uint8_t *page, *mine;

    fake_reset();
    memset(&t, 0, sizeof(t));
    (void)fake_enter(GUEST);
    page = memory_pages_alloc(1);
    fake_grant(GUEST, REF, NET_DOMAIN, page, true);
    (void)fake_enter(NET_DOMAIN);
    mine = memory_pages_alloc(PAGES);
    switch_pool_init(&t.pool, &switch_pool_grants, &t.batch);
    for (unsigned i = 0; i < PAGES; i++)
        (void)switch_pool_give(&t.pool, mine + (size_t)i * PAGE_SIZE,
                               memory_dma_address(mine + (size_t)i * PAGE_SIZE));
    switch_init(&t.bridge, &t.pool, 1);
    for (unsigned i = 0; i < 2; i++) {
        t.nets[i] = (struct net_port){
            .driver = &driver, .up = true, .abilities = {.scatter = true, .mtu = 1500}};
        EXPECT(switch_add(&t.bridge, &t.ports[i], &t.nets[i], &(struct switch_port_config){0}, 0) ==
               0);
    }
    return page;
}

/* Whether its sender is told that it could not be read. */
static bool send(grant_ref_t ref)
{
    static const uint8_t headers[54] = {2,    0,    0, 0, 0,    1, 2,  0, 0, 0, 0, 2, 8, 0, 0x45, 0,
                                        0x0b, 0xe0, 0, 0, 0x40, 0, 64, 6, 0, 0, 1, 1, 1, 1, 2,    2,
                                        2,    2,    0, 1, 0,    2, 0,  0, 0, 0, 0, 0, 0, 0, 0x50};
    uint8_t room[NET_HEAD_ROOM + 54];
    struct net_packet p = {.from = &t.nets[0],
                           .owner = GUEST,
                           .gso = NET_GSO_TCP4,
                           .checksum = NET_CHECKSUM_BLANK,
                           .gso_size = 1000,
                           .head_len = 54,
                           .len = 3054,
                           .refs = 1,
                           .head = room + NET_HEAD_ROOM,
                           .piece_count = 2,
                           .pieces = {{.ref = ref, .offset = 1000, .len = 1500},
                                      {.ref = ref, .offset = 2500, .len = 1500}}};

    memcpy(p.head, headers, sizeof(headers));
    switch_input(&t.ports[0], &p, 1);
    switch_flush(&t.bridge, 1);
    EXPECT(p.refs == 1);
    net_packet_put(&p);
    return p.unreadable;
}

TEST(granted_bytes_are_copied_at_once)
{
    uint8_t *page = start();

    for (unsigned i = 0; i < PAGE_SIZE; i++)
        page[i] = (uint8_t)(i * 7 + i / 256);
    EXPECT(!send(REF));
    EXPECT(t.got == 3 && t.got_len == 3000 && t.done == 1);
    EXPECT(memcmp(t.bytes, page + 1000, 3000) == 0);
    EXPECT(t.batch.calls == 1 && t.batch.copies == 2);
}

TEST(what_is_not_granted_is_an_error)
{
    (void)start();
    EXPECT(send(REF + 1));
    EXPECT(t.got == 0 && t.done == 1);
    EXPECT(t.nets[1].counters.out_drops[NET_DROP_ERROR] == 1);
    EXPECT(t.pool.free_pages == t.pool.page_count && t.pool.free_made == t.pool.made_count);
    EXPECT(!send(REF));
    EXPECT(t.got == 3);
}
