/* The modern transport and split queues over a played device. */
#include "virtio.h"

#include <string.h>

#include <abi/xen.h>

#include <fake_hv.h>
#include <rt/start.h>

#include "check.h"
#include "model_virtio.h"

static struct virtio v;
static struct virtq q;
static const char *why;

/* In place of the pretend domain's answer. */
static bool contained = true;

int start_has_iommu(void)
{
    return contained;
}

static int open_it(void)
{
    struct pci_function f;

    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    return virtio_open(&v, &f, &why);
}

static void start(void)
{
    fake_reset();
    model_init();
    EXPECT(open_it() == 0);
    EXPECT(virtio_negotiate(&v, 1ull << 9, &why) == 0);
    EXPECT(virtq_open(&q, &v, 0, 0, &why) == 0);
    virtio_ready(&v);
}

static int take(void)
{
    uint32_t written;

    return virtq_take(&q, &written);
}

/* The device finishes the request with this head. */
static void finish(uint32_t head)
{
    uint16_t *index = (uint16_t *)(void *)(q.used + 2);
    uint32_t *entry = (uint32_t *)(void *)(q.used + 4 + 8ul * (*index % q.size));

    entry[0] = head;
    entry[1] = 7 * head;
    (*index)++;
}

TEST(stopped_before_it_may_master)
{
    fake_reset();
    model_init();
    EXPECT(open_it() == 0);
    EXPECT(!(played.config[4] & PCI_COMMAND_MASTER) && (played.config[4] & PCI_COMMAND_MEMORY));
    EXPECT(played.bar[20] == 0 && v.config_len == 60);
}

TEST(features_are_what_both_want)
{
    start();
    EXPECT(v.features == (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | 1ull << 9));
    EXPECT(model.accepted == v.features);
    EXPECT(played.bar[20] == 15);
    model_init();
    model.features = 1ull << 9;
    EXPECT(open_it() == 0 && virtio_negotiate(&v, 1ull << 9, &why) == -XEN_ENODEV);
}

/* A device whose DMA no IOMMU translates would take our addresses for the machine's. */
TEST(a_device_that_goes_round_the_iommu)
{
    fake_reset();
    model_init();
    model.features = VIRTIO_F_VERSION_1 | 1ull << 9;
    EXPECT(open_it() == 0 && virtio_negotiate(&v, 1ull << 9, &why) == -XEN_ENODEV);
    EXPECT(strcmp(why, "goes round the IOMMU") == 0 && model.accepted == 0);
    contained = false;
    EXPECT(open_it() == 0 && virtio_negotiate(&v, 1ull << 9, &why) == 0);
    contained = true;
}

TEST(transports_that_lack_something)
{
    fake_reset();
    model_init();
    played_put(0x80 + 12, 1, 4); /* no room for a doorbell */
    EXPECT(open_it() == -XEN_ENODEV);
    model_init();
    played_put(0x60 + 4, 2, 1); /* a BAR that is none */
    EXPECT(open_it() == -XEN_ENODEV);
    model_init();
    played_put(0x60 + 8, 0xfffffff0, 4);
    EXPECT(open_it() == -XEN_ENODEV);
    model_init();
    played_put(0x40, 0x05, 1); /* no MSI-X */
    EXPECT(open_it() == -XEN_ENODEV);
    start();
    played.bar[30] = 200; /* a doorbell outside */
    EXPECT(virtq_start(&q, &v, 0, &why) == -XEN_ENODEV);
    played.bar[30] = 0;
    played.bar[24] = 3; /* not a power of two */
    EXPECT(virtq_start(&q, &v, 0, &why) == -XEN_ENODEV);
}

TEST(requests_go_round)
{
    struct virtq_piece pieces[5] = {{0x1000, 16, false}, {0x2000, 4096, true}, {0x3000, 1, true}};

    start();
    EXPECT(q.free_count == 256);
    for (unsigned round = 0; round < 300; round++) {
        uint16_t a = virtq_put(&q, pieces, 3), b = virtq_put(&q, pieces, 2);

        EXPECT(q.free_count == 251);
        EXPECT(q.descriptors[a].flags == VIRTQ_NEXT && q.descriptors[a].len == 16);
        uint16_t second = q.descriptors[a].next, third = q.descriptors[second].next;

        EXPECT(q.descriptors[second].flags == (VIRTQ_NEXT | VIRTQ_WRITE));
        EXPECT(q.descriptors[third].flags == VIRTQ_WRITE && third != a);
        virtq_kick(&q);
        virtq_kick(&q);
        EXPECT(model.bells == round + 1);
        EXPECT(take() == -XEN_ENOENT);
        finish(b);
        finish(a);
        EXPECT(take() == b && take() == a && take() == -XEN_ENOENT);
        EXPECT(q.free_count == 256);
    }
}

TEST(a_device_that_lies)
{
    struct virtq_piece piece = {0x1000, 16, false};

    start();
    uint16_t head = virtq_put(&q, &piece, 1);

    finish(5000);
    finish((uint32_t)head + 1);
    finish(head);
    finish(head);
    EXPECT(take() == head);
    EXPECT(take() == -XEN_ENOENT);
    EXPECT(q.free_count == 256);
    /* An index far ahead is looked at for one round of the ring at most. */
    *(uint16_t *)(void *)(q.used + 2) += 40000;
    EXPECT(take() == -XEN_ENOENT);
}

TEST(lengths_are_the_device_s_claims)
{
    struct virtq_piece piece = {0x1000, 16, true};
    uint32_t written = 0;

    start();
    uint16_t first = virtq_put(&q, &piece, 1), second = virtq_put(&q, &piece, 1);

    finish(second);
    EXPECT(virtq_take(&q, &written) == second && written == 7u * second);
    finish(first);
    EXPECT(virtq_take(&q, &written) == first && written == 7u * first);
}

TEST(interrupts_by_flag)
{
    struct virtq_piece piece = {0x1000, 16, false};

    start();
    EXPECT(!q.has_events);
    virtq_quiet(&q);
    EXPECT(q.avail[0] == 1);
    EXPECT(virtq_loud(&q) && q.avail[0] == 0);
    finish(virtq_put(&q, &piece, 1));
    EXPECT(!virtq_loud(&q));
}

static void start_with_events(void)
{
    fake_reset();
    model_init();
    model.features |= VIRTIO_F_EVENT_IDX;
    EXPECT(open_it() == 0);
    EXPECT(virtio_negotiate(&v, VIRTIO_F_EVENT_IDX, &why) == 0);
    EXPECT(virtq_open(&q, &v, 0, 0, &why) == 0);
    EXPECT(q.has_events);
}

TEST(interrupts_by_index)
{
    struct virtq_piece piece = {0x1000, 16, false};
    const uint16_t *event;

    start_with_events();
    event = &q.avail[2 + q.size];
    virtq_quiet(&q);
    EXPECT(*event == 0xffff);
    EXPECT(virtq_loud(&q) && *event == 0);
    finish(virtq_put(&q, &piece, 1));
    EXPECT(!virtq_loud(&q));
    EXPECT(take() == 0 && virtq_loud(&q) && *event == 1);
}

TEST(kicks_by_index)
{
    struct virtq_piece piece = {0x1000, 16, false};
    uint16_t *event;

    start_with_events();
    event = (uint16_t *)(void *)(q.used + 4 + 8ul * q.size);
    (void)virtq_put(&q, &piece, 1);
    virtq_kick(&q);
    EXPECT(model.bells == 1);
    /* The device has not seen that one yet, and will look at what follows it by itself. */
    (void)virtq_put(&q, &piece, 1);
    virtq_kick(&q);
    EXPECT(model.bells == 1);
    *event = 3;
    (void)virtq_put(&q, &piece, 1);
    virtq_kick(&q);
    EXPECT(model.bells == 1);
    (void)virtq_put(&q, &piece, 1);
    virtq_kick(&q);
    EXPECT(model.bells == 2);
}

TEST(messages_of_configuration)
{
    start();
    EXPECT(virtio_config_vector(&v, 2));
}
