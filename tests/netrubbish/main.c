/*
 * What a front end should not do, one thing after the other: what breaks the
 * protocol loses the interface, and nothing else; what is only wrong is answered.
 * After each the interface is made anew, and the last act is an honest one.
 */
#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>

#include <hcall.h>
#include <rt/log.h>

#include "vif.h"

static struct vif vif;

static void slot(grant_ref_t ref, uint16_t offset, uint16_t flags, uint16_t size)
{
    net_front_slot(&vif.front, &(struct netif_tx_request){
                                   .gref = ref, .offset = offset, .flags = flags, .size = size});
}

static struct ring_header *header(bool rx)
{
    return rx ? vif.front.rx.page : vif.front.tx.page;
}

static void act_nothing(void) {}

static void act_far_index(void)
{
    header(false)->req_prod = 100000;
    (void)hcall_event_send(&(struct evtchn_send){.port = vif.port});
}

static void act_endless_packet(void)
{
    slot(VIF_PAGE(0), 0, NETTXF_more_data, 1000);
    net_front_kick(&vif.front);
}

static void act_strange_extra(void)
{
    slot(VIF_PAGE(0), 0, NETTXF_extra_info, 1000);
    net_front_extra(&vif.front, &(struct netif_extra_info){.type = 99});
    net_front_kick(&vif.front);
}

static void act_nineteen_slots(void)
{
    for (unsigned i = 0; i <= NET_SLOTS_MAX; i++)
        slot(VIF_PAGE(0), 0, i < NET_SLOTS_MAX ? NETTXF_more_data : 0, i == 0 ? 1900 : 100);
    net_front_kick(&vif.front);
}

/* To everybody, so that somebody receives it: behind the head stands what cannot be read. */
static void act_unreadable_page(void)
{
    vif_address(&vif);
    slot(VIF_PAGE(0), 0, NETTXF_more_data, 1400);
    slot(400, 0, 0, 1000);
    net_front_kick(&vif.front);
}

/* Each is answered with an error. */
static void act_wrong_slots(void)
{
    slot(VIF_PAGE(0), 0, 0, 13);
    slot(VIF_PAGE(0), 4090, 0, 60);
    slot(400, 0, 0, 60);
    slot(UINT32_MAX, UINT16_MAX, NETTXF_csum_blank, UINT16_MAX);
    net_front_kick(&vif.front);
    for (unsigned i = 0; i < 4; i++)
        if (vif_answer(&vif) != NETIF_RSP_ERROR)
            log_line("netrubbish: wrong slot %u was not answered as such", i);
}

static void act_wrong_buffers(void)
{
    for (uint16_t i = 0; i < 200; i++)
        net_front_post(&vif.front, i, i & 1 ? UINT32_MAX : 400);
    net_front_kick(&vif.front);
}

static void act_flood(void)
{
    for (unsigned i = 0; i < 20000; i++)
        (void)hcall_event_send(&(struct evtchn_send){.port = vif.port});
}

static uint32_t chance(void)
{
    static uint32_t seed = 1;

    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Slots that may be good but for what stands in them, and indices that may be. */
static void chance_round(void)
{
    struct ring_header *h = header(false);
    uint32_t more = chance() % 32;

    for (uint32_t i = 0; i < 256; i++) {
        struct netif_tx_request *s = (void *)(vif.rings + RING_HEADER + i * NET_TX_SLOT_SIZE);

        s->gref = chance() % 4 ? VIF_PAGE(chance() % VIF_PAGES) : chance();
        s->offset = (uint16_t)(chance() % (chance() % 8 ? 1000 : 65536));
        s->size = (uint16_t)(chance() % (chance() % 8 ? 3000 : 65536));
        s->flags = (uint16_t)(chance() % (chance() % 64 ? 4 : 65536));
    }
    for (uint32_t i = RING_HEADER; i < PAGE_SIZE; i += 4)
        *(uint32_t *)(void *)(vif.rings + PAGE_SIZE + i) = chance();
    if (h->req_prod - h->rsp_prod + more <= 256)
        h->req_prod += more;
    header(true)->req_prod += chance() % 2;
    (void)hcall_event_send(&(struct evtchn_send){.port = vif.port});
}

/* Anything, many times; it may or may not be too much. */
static void act_chance(void)
{
    for (unsigned round = 0; round < 100 && vif_state(&vif) == XenbusStateConnected; round++)
        chance_round();
}

static const struct act {
    const char *name;
    void (*run)(void);
    enum { SERVED, CLOSED, EITHER } then;
} acts[] = {
    {"nothing", act_nothing, SERVED},
    {"an index far off", act_far_index, CLOSED},
    {"a packet without end", act_endless_packet, CLOSED},
    {"a strange extra", act_strange_extra, CLOSED},
    {"nineteen slots", act_nineteen_slots, CLOSED},
    {"a page that cannot be read", act_unreadable_page, CLOSED},
    {"wrong slots", act_wrong_slots, SERVED},
    {"wrong buffers", act_wrong_buffers, SERVED},
    {"a flood of events", act_flood, SERVED},
    {"chance", act_chance, EITHER},
    {"another chance", act_chance, EITHER},
    {"a third chance", act_chance, EITHER},
    {"nothing", act_nothing, SERVED},
};

static bool is_served(void)
{
    vif_address(&vif);
    slot(VIF_PAGE(0), 0, 0, 60);
    net_front_kick(&vif.front);
    return vif_answer(&vif) == NETIF_RSP_OKAY;
}

static bool play(const struct act *act)
{
    if (!vif_connect(&vif)) {
        log_line("netrubbish: not connected before %s", act->name);
        return false;
    }
    act->run();
    bool good = act->then == EITHER ||
                (act->then == CLOSED ? vif_wait_state(&vif, XenbusStateClosing) : is_served());

    log_line("netrubbish: %s: %s", act->name, good ? "as it should be" : "wrong");
    vif_disconnect(&vif);
    return good;
}

int main(void)
{
    vif_open(&vif);
    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (!play(&acts[i]))
            return 1;
    log_line("netrubbish: done");
    return 0;
}
