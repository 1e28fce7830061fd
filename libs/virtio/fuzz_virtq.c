/*
 * Moves: the driver puts (p N), takes (t), kicks (k) and wants
 * interrupts or not (l, q); the device writes its ring (w O V).
 */
#include "virtio.h"

#include <stdlib.h>

#include <fake_hv.h>

#include "model_virtio.h"

static struct virtio v;
static struct virtq q;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virtq_piece pieces[16] = {{0}};
    struct pci_function f;
    const char *why;
    bool flying[VIRTQ_SIZE] = {false};
    uint32_t written;

    fake_reset();
    model_init();
    /* An odd number of bytes: both sides tell each other by index. */
    if (size & 1)
        model.features |= VIRTIO_F_EVENT_IDX;
    if (pci_open(&f, 0, 4, 0) < 0 || virtio_open(&v, &f, &why) < 0 ||
        virtio_negotiate(&v, VIRTIO_F_EVENT_IDX, &why) < 0 || virtq_open(&q, &v, 0, 0, &why) < 0)
        abort();
    for (size_t i = 0; i + 2 < size; i += 3) {
        uint32_t count = data[i + 1] % 16 + 1u;
        int head;

        switch (data[i]) {
        case 'p':
            if (q.free_count < count)
                break;
            head = virtq_put(&q, pieces, count);
            if (flying[head])
                abort();
            flying[head] = true;
            break;
        case 't':
            head = virtq_take(&q, &written);
            if (head >= 0 && !flying[head])
                abort();
            if (head >= 0)
                flying[head] = false;
            break;
        case 'k': virtq_kick(&q); break;
        case 'q': virtq_quiet(&q); break;
        case 'l': (void)virtq_loud(&q); break;
        default:
            q.used[data[i + 1] + (data[i] & 7) * 256] = data[i + 2];
            /* The device reaches the descriptors, too. */
            ((uint8_t *)q.descriptors)[data[i + 1] * 16u + 14] = data[i + 2];
            break;
        }
    }
    if (q.free_count > q.size)
        abort();
    return 0;
}
