/* The modern transport and split queues over a played device. */
#include "virtio.h"

#include <abi/xen.h>

#include <fake_hv.h>

#include "check.h"
#include "model_virtio.h"

static struct virtio v;
static struct virtq q;
static const char *why;

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

/* The device finishes the request with this head. */
static void finish(uint32_t head)
{
    uint16_t *index = (uint16_t *)(void *)(q.used + 2);
    uint32_t *entry = (uint32_t *)(void *)(q.used + 4 + 8ul * (*index % q.size));

    *entry = head;
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
        EXPECT(virtq_take(&q) == -XEN_ENOENT);
        finish(b);
        finish(a);
        EXPECT(virtq_take(&q) == b && virtq_take(&q) == a && virtq_take(&q) == -XEN_ENOENT);
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
    EXPECT(virtq_take(&q) == head);
    EXPECT(virtq_take(&q) == -XEN_ENOENT);
    EXPECT(q.free_count == 256);
    /* An index far ahead is looked at for one round of the ring at most. */
    *(uint16_t *)(void *)(q.used + 2) += 40000;
    EXPECT(virtq_take(&q) == -XEN_ENOENT);
}
