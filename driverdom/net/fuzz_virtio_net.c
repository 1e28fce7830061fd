/* A virtio device that writes what it likes into its used rings and buffers. */
#include "virtio_net.h"

#include "fuzz_card.h"
#include "model_virtio_net.h"

/* Used rings, the buffers' headers, descriptors (which are shared, but not read back). */
static void fuzz_write(uint32_t at, uint8_t value)
{
    struct virtio_net *v = (struct virtio_net *)rig.nic;
    struct virtq *q = at & 0x800 ? &v->out : &v->in;

    if (at & 0x400)
        rig.nic->in.memory[(size_t)(at / 16 % 64) * VIRTIO_NET_BUFFER + at % 16] = value;
    else if (at & 0x200)
        ((uint8_t *)q->descriptors)[at % 0x200] = value;
    else
        q->used[at % 0x200] = value;
}

static void fuzz_receive(uint32_t len, uint8_t how)
{
    struct virtio_net_header h = {.flags = how & 3,
                                  .gso_type = how >> 2 & 7,
                                  .gso_size = (uint16_t)(how & 0x40 ? 1400 : 0),
                                  .checksum_start = how & 0x80 ? 34 : 54,
                                  .checksum_offset = 16};
    struct model_queue *q = &model.queues[0];

    /* What it wrote over descriptors is its own affair: it takes buffers from our list. */
    for (uint32_t i = 0; i < q->size; i++) {
        struct virtq_descriptor *d = (struct virtq_descriptor *)model_memory(q->descriptors) + i;
        struct virtio_net *v = (struct virtio_net *)rig.nic;

        *d = (struct virtq_descriptor){.address = rig.nic->in.dma[v->buffers[i]],
                                       .len = VIRTIO_NET_BUFFER,
                                       .flags = VIRTQ_WRITE};
    }
    (void)model_receive(rig.frame, len, h);
}

static void fuzz_transmit(void)
{
    struct model_queue *q = &model.queues[1];
    int head;

    while ((head = model_next(q)) >= 0)
        model_finish(q, (uint32_t)head, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pci_function f;

    rig_init();
    model_init(size & 1 ? VIRTIO_NET_WANTED : VIRTIO_NET_WANTED & ~VIRTIO_F_EVENT_IDX);
    model.mute = true;
    if (pci_open(&f, 0, 4, 0) < 0 || rig_open(&virtio_net_hardware, &f) < 0)
        abort();
    fuzz_moves(data, size);
    return 0;
}
