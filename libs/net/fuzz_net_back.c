/*
 * Moves: a hostile guest (side 0), an honest one (side 1), and the net domain
 * between them, one letter each.
 *
 *   t R O S F       a transmit slot: reference, offset / 16, size / 16, flags
 *   e T F V W       an extra: kind, flags, two values
 *   s L F           a frame as it should be, L * 257 bytes, its first slot F
 *   o L             the honest guest sends one
 *   b R             posts a buffer: reference
 *   k               publishes what was asked
 *   w P O V         writes a byte of a ring page: transmit or receive
 *   p P N           moves a published index by N
 *   m N V           after the N-th read of shared memory, that memory changes
 *   u R             takes a grant back, or gives it again
 *   g               a round of the net domain
 *   n               the wire keeps frames, or lets go of all
 *   c N             a card gets what is kept; after that it is done with N of them
 *   v N             tags of N, 0: none
 *   h N             headroom of N * 16
 *   y N             N ms pass
 *   a               the honest guest takes what is there
 *   x               disconnects and connects again
 *   z               the net domain dies, its successor adopts
 */
#include "net_back.h"

#include <shm.h>

#include "net_reach.h"

#include "rig.h"

static struct rig rig;
static const uint8_t *at, *end;
static unsigned reads_left;
static uint8_t mutation;
static uint64_t now;

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

static struct net_front *front(void)
{
    return &rig.sides[0].front[0];
}

/* The hostile guest changes what was just read of its rings. */
static void mutate(void *context, void *shared, size_t len)
{
    size_t offset = (size_t)((uint8_t *)shared - (uint8_t *)rig.sides[0].space);

    (void)context;
    if (offset >= NET_BACK_SPACE * PAGE_SIZE || reads_left == 0 || --reads_left > 0)
        return;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)shared)[i] ^= mutation;
}

static const struct shm_hook hook = {.after_read = mutate};

static void move_slot(void)
{
    struct netif_tx_request slot = {.gref = RIG_TX(next() % 80u)};

    slot.offset = (uint16_t)(next() * 16u);
    slot.size = (uint16_t)(next() * 16u + 6u);
    slot.flags = next() & 31;
    slot.id = (uint16_t)(end - at);
    if (net_front_tx_room(front()) > 0)
        net_front_slot(front(), &slot);
}

static void move_extra(void)
{
    struct netif_extra_info extra = {.type = next() % 7};

    extra.flags = next() & 3;
    extra.u.pad[0] = (uint16_t)(next() * 5u);
    extra.u.pad[1] = next();
    if (net_front_tx_room(front()) > 0)
        net_front_extra(front(), &extra);
}

static void move_send(uint32_t side, uint32_t len, uint32_t first)
{
    struct rig_frame frame = {.seed = side, .len = len % 65000 + 14, .first = first};

    if (net_front_tx_room(&rig.sides[side].front[0]) >= NET_TX_SLOTS_MAX)
        (void)rig_send(&rig, side, 0, &frame);
    rig_kick(&rig, side, 0);
}

static void move_buffer(void)
{
    uint16_t id = next();

    /* Its own data, readable only, is among them; so is what is not granted at all. */
    if (net_front_rx_room(front()) > 0)
        net_front_post(front(), id, id < 200 ? RIG_RX(id) : RIG_TX(id - 200u));
}

static void move_ring(void)
{
    uint8_t *ring = next() & 1 ? front()->rx.page : front()->tx.page;
    uint16_t offset = (uint16_t)(next() * 16u);

    ring[offset % PAGE_SIZE] = next();
}

static void move_index(void)
{
    struct ring_front *f = next() & 1 ? &front()->rx : &front()->tx;
    struct ring_header *h = f->page;

    h->req_prod += next();
    if (h->req_prod - f->rsp_cons <= f->count)
        f->req_prod = f->told = h->req_prod;
}

static void move_grant(void)
{
    struct grant_entry_v1 *entry = &fake_grant_table(RIG_GUEST(0))[RIG_TX(next() % RIG_PAGES)];

    entry->flags ^= GTF_permit_access;
}

/* Nothing that the hostile one does makes the back end break the protocol towards the other. */
static void honest_takes(void)
{
    static uint8_t bytes[RIG_FRAME_MAX];
    struct net_front *f = &rig.sides[1].front[0];
    struct netif_tx_response response;
    struct net_front_frame frame;
    int rc;

    (void)fake_enter(RIG_GUEST(1));
    while ((rc = net_front_answer(f, &response)) == 1)
        if (response.status != NETIF_RSP_OKAY && response.status != NETIF_RSP_NULL)
            abort();
    if (rc < 0)
        abort();
    while (ring_front_pending(&f->rx) != 0)
        if (rig_receive(&rig, 1, 0, &frame, bytes) < 0)
            abort();
    rig_post(&rig, 1, 0, RIG_BUFFERS);
}

/* A card: what it is given it reads whole, and some of it it is done with. */
static struct net_reach *reach;
static struct net_reached at_card[NET_TAKEN_MAX];
static bool is_at_card[NET_TAKEN_MAX];

static void card_read(const struct net_reached *frame)
{
    uint32_t len = rig.tag.present ? 4 : 0;
    uint8_t sum = 0;

    for (uint32_t i = 0; i < frame->span_count; i++) {
        const struct net_span *span = &frame->spans[i];

        if (span->len == 0 || (span->dma & PAGE_MASK) + span->len > PAGE_SIZE)
            abort();
        /* A device address of the pretend machine is the address of the owner's page. */
        const uint8_t *bytes = (const uint8_t *)(uintptr_t)span->dma;

        for (uint32_t n = 0; n < span->len; n++)
            sum = (uint8_t)(sum + bytes[n]);
        len -= span->len;
    }
    if (len + frame->packet->len != 0)
        abort();
    fake_clock_advance(sum);
}

static void card_end(uint32_t count)
{
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < NET_TAKEN_MAX && count > 0; i++) {
        if (!is_at_card[i])
            continue;
        is_at_card[i] = false;
        net_reach_release(reach, &at_card[i]);
        count--;
    }
    net_reach_end(reach);
    if (reach->unmap_failures != 0)
        abort();
}

static void move_card(void)
{
    bool fresh[NET_TAKEN_MAX] = {false};
    uint32_t place = 0;

    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < rig.kept_count; i++) {
        while (place < NET_TAKEN_MAX && is_at_card[place])
            place++;
        if (place == NET_TAKEN_MAX || !net_reach_add(reach, &at_card[place], rig.kept[i], rig.tag))
            break;
        is_at_card[place] = fresh[place] = true;
    }
    net_reach_run(reach);
    rig_let_go(&rig);
    for (uint32_t i = 0; i < NET_TAKEN_MAX; i++)
        if (fresh[i] && !at_card[i].failed)
            card_read(&at_card[i]);
    card_end(next());
}

/* At the start of each life. */
static void card_new(void)
{
    memset(is_at_card, 0, sizeof(is_at_card));
    (void)fake_enter(RIG_BACK);
    reach = memory_pages_alloc(sizeof(*reach) / PAGE_SIZE + 1);
    reach->memory = memory_pages_alloc(NET_REACH_MEMORY);
    reach->space = memory_space_alloc(NET_REACH_SPACE);
    net_reach_init(reach, reach->memory, reach->space, &rig.batch);
}

static void move_tag(void)
{
    uint8_t tci = next();

    rig.tag = (struct net_tag){.present = tci != 0, .tci = tci};
}

static void move_die(void)
{
    fake_domain_reset(RIG_BACK);
    rig_make_back(&rig);
    rig.kept_count = 0;
    (void)rig_connect(&rig, true);
    card_new();
}

static void step(uint8_t move)
{
    switch (move) {
    case 't': move_slot(); break;
    case 'e': move_extra(); break;
    case 's': move_send(0, next() * 257u, next()); break;
    case 'o': move_send(1, next() * 257u, 66); break;
    case 'b': move_buffer(); break;
    case 'k': net_front_kick(front()); break;
    case 'w': move_ring(); break;
    case 'p': move_index(); break;
    case 'm':
        reads_left = next();
        mutation = next();
        break;
    case 'u': move_grant(); break;
    case 'g': (void)rig_round(&rig); break;
    case 'n':
        rig.keep = !rig.keep;
        rig_let_go(&rig);
        break;
    case 'v': move_tag(); break;
    case 'h': net_back_headroom(rig.sides[0].back, next() * 16u); break;
    case 'y':
        now += next() * 1000000ull;
        (void)fake_enter(RIG_BACK);
        for (uint32_t i = 0; i < RIG_GUESTS; i++)
            (void)net_back_expire(rig.sides[i].back, now);
        break;
    case 'a': honest_takes(); break;
    case 'c': move_card(); break;
    case 'x':
        card_end(NET_TAKEN_MAX);
        rig_disconnect(&rig);
        (void)rig_connect(&rig, false);
        break;
    case 'z': move_die(); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    reads_left = 0;
    now = 1;
    rig_init(&rig, 1, (next() & 1) != 0);
    if (rig_connect(&rig, false) < 0)
        abort();
    rig_post(&rig, 1, 0, RIG_BUFFERS);
    (void)fake_enter(RIG_BACK);
    card_new();
    shm_hook_set(&hook);
    for (unsigned moves = 0; at < end && moves < 300; moves++) {
        (void)fake_enter(RIG_GUEST(0));
        step(next());
    }
    if (rig.sides[1].back->broken)
        abort();
    honest_takes();
    shm_hook_set(NULL);
    card_end(NET_TAKEN_MAX);
    rig_disconnect(&rig);
    return 0;
}
