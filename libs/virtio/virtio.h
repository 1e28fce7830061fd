/*
 * Virtio 1.1 devices over PCI, the driver's side: the modern transport (section
 * 4.1) and split queues (section 2.6). The device's words are claims.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <pci.h>

#define VIRTIO_VENDOR        0x1af4u
#define VIRTIO_DEVICE_MODERN 0x1040u /* plus the kind of device */

#define VIRTIO_F_EVENT_IDX       (1ull << 29)
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

struct virtio {
    struct pci_function function;
    struct pci_msix msix;
    volatile uint8_t *common;
    volatile uint8_t *notify;
    volatile uint8_t *config; /* the device's own; NULL: none */
    uint32_t config_len;
    uint32_t notify_len, notify_step;
    uint64_t features;
};

/*
 * Finds the parts of the transport and resets the device: it does nothing any
 * more when this returns. 0, or an error with its reason in *why.
 */
int virtio_open(struct virtio *v, const struct pci_function *f, const char **why);

/* Status 0, waited for; false: the device does not obey. */
bool virtio_reset(struct virtio *v);

/*
 * Agrees on those of `wanted` that the device has, and on what must be:
 * version 1, and access by the platform's addresses if the device asks for it.
 */
int virtio_negotiate(struct virtio *v, uint64_t wanted, const char **why);

/* The message that tells of changes to the device's own configuration. False: it takes none. */
bool virtio_config_vector(const struct virtio *v, uint16_t vector);

/* From here on the device works. */
void virtio_ready(struct virtio *v);

/* A split queue of at most VIRTQ_SIZE entries, in two pages. */
#define VIRTQ_SIZE 256u

struct virtq_descriptor {
    uint64_t address;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
#define VIRTQ_NEXT  1u
#define VIRTQ_WRITE 2u /* the device writes it */

struct virtq {
    uint32_t size;
    struct virtq_descriptor *descriptors; /* shared; `next` is never read back */
    uint16_t *avail;                      /* shared: flags, index, ring */
    uint8_t *used;              /* shared, the device's: flags, index, ring of {id, length} */
    uint16_t next[VIRTQ_SIZE];  /* our own chain of free and of used descriptors */
    uint16_t heads[VIRTQ_SIZE]; /* descriptors of the chain that starts here; 0: none */
    uint16_t free;
    uint32_t free_count;
    uint16_t avail_index, used_index;
    uint16_t told_index; /* avail_index at the last kick */
    bool has_events;     /* both sides say at which index they want to be told */
    volatile uint8_t *bell;
    uint16_t number;
};

/* Makes queue `number`, with MSI-X entry `vector`. */
int virtq_open(struct virtq *q, struct virtio *v, uint16_t number, uint16_t vector,
               const char **why);

/* Empty again, after a reset of the device; then virtq_open's other half. */
int virtq_start(struct virtq *q, struct virtio *v, uint16_t vector, const char **why);

/* One piece of memory of a request. */
struct virtq_piece {
    uint64_t address;
    uint32_t len;
    bool written; /* by the device */
};

/* Queues a request of so many pieces, of which there are as many as free_count; its head. */
uint16_t virtq_put(struct virtq *q, const struct virtq_piece *pieces, uint32_t count);

/* Tells the device of what was put since. */
void virtq_kick(struct virtq *q);

/*
 * The head of a finished request, -XEN_ENOENT if there is none; what is no head
 * of ours is skipped. written: how many bytes the device says it wrote.
 */
int virtq_take(struct virtq *q, uint32_t *written);

/* No interrupts from this queue, as far as the device cares. */
void virtq_quiet(struct virtq *q);

/* The next finished request interrupts. False: there is one already, and perhaps it will not. */
bool virtq_loud(struct virtq *q);

#endif
