/* An NVMe controller with one namespace in use and one pair of I/O queues (NVM Express base 1.4).
 */
#ifndef NVME_H
#define NVME_H

#include "disk.h"

/* Both queues of a pair fit a page each, which is contiguous for the device whatever else is not.
 */
#define NVME_DEPTH       64u
#define NVME_ADMIN_DEPTH 8u
/* Commands at the device at a time: a full submission queue has one entry free. */
#define NVME_SLOTS       (NVME_DEPTH - 1)
#define NVME_LIST_BYTES  512u /* of page addresses, for each slot */
#define NVME_PAGES_MAX   (NVME_LIST_BYTES / 8)

struct nvme_command {
    uint8_t opcode;
    uint8_t flags;
    uint16_t id;
    uint32_t nsid;
    uint64_t unused;
    uint64_t metadata;
    uint64_t prp1, prp2;
    uint32_t word[6]; /* dwords 10 to 15 */
};

struct nvme_completion {
    uint32_t result;
    uint32_t unused;
    uint16_t sq_head;
    uint16_t sq_id;
    uint16_t id;
    uint16_t status; /* bit 0: phase */
};

struct nvme_queue {
    struct nvme_command *commands;
    struct nvme_completion *completions; /* written by the device: read by shm.h alone */
    uint32_t depth;
    uint32_t tail, told_tail;
    uint32_t head, told_head;
    uint16_t phase;
    volatile uint8_t *tail_bell, *head_bell;
};

/* A command at the device, and the I/O it is part of. */
struct nvme_slot {
    struct blk_io *io;
    uint64_t since;
    uint16_t next_free;
};

struct nvme {
    struct disk disk;
    struct pci_function function;
    volatile uint8_t *registers;
    struct pci_msix msix;
    uint64_t timeout_ns; /* the controller's own, for its start and stop */
    bool dead;
    struct nvme_queue admin, io;
    uint32_t block_shift;        /* of the namespace's blocks */
    uint32_t transfer_max;       /* bytes of one command */
    uint32_t blocks_max;         /* of one discard range */
    struct blk_io *first, *last; /* waiting to be given to the device, the first perhaps in part */
    struct nvme_slot slots[NVME_SLOTS];
    uint16_t free_slot;
    uint32_t busy;
    uint64_t deadline;
    uint32_t looks; /* since it is late */
    uint8_t *lists; /* NVME_LIST_BYTES of each slot */
    uint64_t submitted, resets;
};

_Static_assert(sizeof(struct nvme_command) == 64, "command");
_Static_assert(sizeof(struct nvme_completion) == 16, "completion");

/* What a controller says of itself and of its namespace: a page each. */
struct nvme_identity {
    uint8_t controller[4096];
    uint8_t namespace[4096];
};

/* nvme.c: the controller. */
/* Starts it: queues are empty afterwards. Asks for its identity on the way; NULL: it is known. */
int nvme_start(struct nvme *n, struct nvme_identity *identity);
bool nvme_stop(struct nvme *n); /* it does nothing any more; false: it does not obey */

/* nvme_io.c: its I/O. */
extern const struct blk_driver nvme_driver;
void nvme_slots_init(struct nvme *n);

/* nvme_queue.c: rings of commands and completions. */
struct nvme_command *nvme_queue_next(struct nvme_queue *q);
void nvme_queue_push(struct nvme_queue *q);
void nvme_queue_kick(struct nvme_queue *q);
bool nvme_queue_take(struct nvme_queue *q, struct nvme_completion *c);
void nvme_queue_done(struct nvme_queue *q);
void nvme_queue_reset(struct nvme_queue *q);

#endif
