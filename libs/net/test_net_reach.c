/* Frames of a guest made reachable for a device: what it would read, and when pages are let go. */
#include "net_reach.h"

#include "check.h"
#include "rig.h"

static struct rig rig;
static struct net_reach *reach;
static struct net_reached frames[256];

/* A device address of the pretend machine is the address of the owner's page. */
static const uint8_t *memory(uint64_t dma)
{
    return (const uint8_t *)(uintptr_t)dma; /* NOLINT(performance-no-int-to-ptr) */
}

static void start(void)
{
    rig_init(&rig, 1, false);
    EXPECT(rig_connect(&rig, false) == 0);
    rig.keep = true;
    (void)fake_enter(RIG_BACK);
    reach = memory_pages_alloc(sizeof(*reach) / PAGE_SIZE + 1);
    net_reach_init(reach, memory_pages_alloc(NET_REACH_MEMORY), memory_space_alloc(NET_REACH_SPACE),
                   &rig.batch);
}

/* The guest sends frames of so many bytes, seeds from 0; they are kept by the wire. */
static void send(uint32_t count, uint32_t len, uint32_t first)
{
    for (uint32_t i = 0; i < count; i++)
        (void)rig_send(&rig, 0, 0, &(struct rig_frame){.seed = i, .len = len, .first = first});
    rig_kick(&rig, 0, 0);
    rig_run(&rig);
    EXPECT(rig.kept_count == count);
}

static void add_all(struct net_tag tag)
{
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < rig.kept_count; i++)
        EXPECT(net_reach_add(reach, &frames[i], rig.kept[i], tag));
    net_reach_run(reach);
}

static void end_all(void)
{
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < rig.kept_count; i++)
        net_reach_release(reach, &frames[i]);
    net_reach_end(reach);
    rig_let_go(&rig);
    EXPECT(reach->buffer_count == NET_REACH_BUFFERS && reach->map_count == NET_REACH_MAPS);
    EXPECT(reach->unmap_failures == 0);
    rig_run(&rig);
    rig_disconnect(&rig);
}

/* What a device reads of a frame is its bytes, with the tag in its place. */
static bool is_readable(const struct net_reached *frame, uint32_t seed, uint32_t len, bool tagged)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < frame->span_count; i++) {
        const struct net_span *span = &frame->spans[i];

        if ((span->dma & PAGE_MASK) + span->len > PAGE_SIZE || span->len == 0)
            return false;
        for (uint32_t n = 0; n < span->len; n++, at++) {
            uint8_t is = memory(span->dma)[n];

            if (tagged && at >= 12 && at < 16) {
                if (is != (const uint8_t[]){0x81, 0, 0x01, 0x23}[at - 12])
                    return false;
            } else if (is != rig_byte(seed, tagged && at >= 16 ? at - 4 : at)) {
                return false;
            }
        }
    }
    return at == len + (tagged ? 4 : 0);
}

TEST(short_frames_are_copied_by_one_call)
{
    start();
    send(20, 1514, 66);

    uint64_t calls = rig.batch.calls;

    add_all((struct net_tag){0});
    EXPECT(rig.batch.calls == calls + 1 && reach->map_calls == 0);
    for (uint32_t i = 0; i < 20; i++)
        EXPECT(frames[i].span_count == 1 && is_readable(&frames[i], i, 1514, false));
    EXPECT(fake_grants_mapped(RIG_GUEST(0)) == 2); /* the rings */
    end_all();
}

TEST(what_is_all_head_needs_nothing)
{
    start();
    send(1, 100, 0);

    unsigned effects = fake_effects(RIG_BACK);

    add_all((struct net_tag){0});
    EXPECT(fake_effects(RIG_BACK) == effects && is_readable(&frames[0], 0, 100, false));
    end_all();
}

TEST(long_frames_are_mapped_by_one_call)
{
    start();
    send(3, 60000, 66);
    add_all((struct net_tag){0});
    EXPECT(reach->map_calls == 1);
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(is_readable(&frames[i], i, 60000, false));
    EXPECT(fake_grants_mapped(RIG_GUEST(0)) > 2 + 3 * 14);
    end_all();
    EXPECT(reach->unmap_calls == 1);
}

TEST(tagged_frames)
{
    static const uint32_t lengths[] = {60, 1514, 9000};

    for (unsigned i = 0; i < 3; i++) {
        start();
        send(2, lengths[i], 66 > lengths[i] ? 0 : 66);
        add_all((struct net_tag){.present = true, .tci = 0x0123});
        for (uint32_t n = 0; n < 2; n++)
            EXPECT(is_readable(&frames[n], n, lengths[i], true));
        end_all();
    }
}

/* No sender hears that a packet is done while its pages are mapped. */
TEST(pages_are_let_go_before_the_answer)
{
    start();
    send(1, 9000, 66);
    add_all((struct net_tag){0});
    rig_let_go(&rig);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0);
    (void)fake_enter(RIG_BACK);
    net_reach_release(reach, &frames[0]);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 0 && fake_grants_mapped(RIG_GUEST(0)) > 2);
    (void)fake_enter(RIG_BACK);
    net_reach_end(reach);
    EXPECT(fake_grants_mapped(RIG_GUEST(0)) == 2);
    rig_run(&rig);
    EXPECT(rig_answers(&rig, 0, 0, NETIF_RSP_OKAY) == 4);
    rig_disconnect(&rig);
}

TEST(what_cannot_be_read_breaks_its_sender)
{
    static const uint32_t lengths[] = {1514, 9000};

    for (unsigned i = 0; i < 2; i++) {
        start();
        send(2, lengths[i], 66);
        fake_grant_table(RIG_GUEST(0))[RIG_TX(1)].flags = 0; /* the first frame's second page */
        add_all((struct net_tag){0});
        EXPECT(frames[0].failed && !frames[1].failed);
        EXPECT(is_readable(&frames[1], 1, lengths[i], false));
        EXPECT(rig.sides[0].back->broken == NULL);
        end_all();
        EXPECT(rig.sides[0].back->broken != NULL && fake_mappings(RIG_BACK) == 0);
    }
}

TEST(room_is_bounded)
{
    uint32_t added = 0;

    start();
    send(14, 65000, 66);
    (void)fake_enter(RIG_BACK);
    for (unsigned round = 0; round < 3; round++)
        for (uint32_t i = 0; i < 14; i++)
            added += net_reach_add(reach, &frames[added], rig.kept[i], (struct net_tag){0});
    EXPECT(added == NET_REACH_MAPS / 16);
    net_reach_run(reach);
    for (uint32_t i = 0; i < added; i++)
        net_reach_release(reach, &frames[i]);
    net_reach_end(reach);
    EXPECT(reach->map_count == NET_REACH_MAPS);
    rig_let_go(&rig);
    rig_run(&rig);
    rig_disconnect(&rig);
}

TEST(every_frame_has_a_head_of_its_own)
{
    start();
    send(1, 9000, 66);
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < NET_REACH_BUFFERS / 4; i++)
        EXPECT(net_reach_add(reach, &frames[i], rig.kept[0], (struct net_tag){0}));
    net_reach_run(reach);
    /* What a driver writes into one is in no other, and not in the packet. */
    EXPECT(memory(frames[0].spans[0].dma) == net_reach_head(reach, &frames[0]));
    net_reach_head(reach, &frames[0])[20] ^= 0xff;
    EXPECT(!is_readable(&frames[0], 0, 9000, false) && is_readable(&frames[1], 0, 9000, false));
    for (uint32_t i = 0; i < NET_REACH_BUFFERS / 4; i++)
        net_reach_release(reach, &frames[i]);
    net_reach_end(reach);
    rig_let_go(&rig);
    rig_run(&rig);
    rig_disconnect(&rig);
}

TEST(buffers_are_bounded)
{
    start();
    send(1, 1514, 66);
    (void)fake_enter(RIG_BACK);
    for (uint32_t i = 0; i < NET_REACH_BUFFERS; i++)
        EXPECT(net_reach_add(reach, &frames[i], rig.kept[0], (struct net_tag){0}));
    EXPECT(!net_reach_add(reach, &frames[200], rig.kept[0], (struct net_tag){0}));
    net_reach_run(reach);
    for (uint32_t i = 0; i < NET_REACH_BUFFERS; i++)
        net_reach_release(reach, &frames[i]);
    net_reach_end(reach);
    rig_let_go(&rig);
    rig_run(&rig);
    rig_disconnect(&rig);
}
