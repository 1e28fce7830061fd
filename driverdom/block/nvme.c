/* Starts an NVMe controller: reset before bus mastering, identify, one pair of I/O queues. */
#include "nvme.h"

#include <stdio.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>

#define REG_CAP       0x00u
#define REG_CC        0x14u
#define REG_CSTS      0x1cu
#define REG_AQA       0x24u
#define REG_ASQ       0x28u
#define REG_ACQ       0x30u
#define REG_DOORBELLS 0x1000u
#define REG_BYTES     0x2000u

#define CC_ENABLE      (1u << 0)
#define CC_ENTRY_SIZES (6u << 16 | 4u << 20) /* 64 and 16 bytes; pages of 4 KiB */
#define CSTS_READY     (1u << 0)
#define CSTS_FATAL     (1u << 1)

#define ADMIN_CREATE_SQ     0x01u
#define ADMIN_CREATE_CQ     0x05u
#define ADMIN_IDENTIFY      0x06u
#define ADMIN_SET_FEATURES  0x09u
#define FEATURE_QUEUES      0x07u
#define IDENTIFY_NAMESPACE  0u
#define IDENTIFY_CONTROLLER 1u

#define ONCS_DISCARD (1u << 2)

#define IDENTITY_PAGES (sizeof(struct nvme_identity) / PAGE_SIZE)

static uint32_t reg_read(const struct nvme *n, uint32_t at)
{
    return mmio_read32(n->registers + at);
}

static void reg_write(const struct nvme *n, uint32_t at, uint32_t value)
{
    mmio_write32(n->registers + at, value);
}

static void reg_write64(const struct nvme *n, uint32_t at, uint64_t value)
{
    reg_write(n, at, (uint32_t)value);
    reg_write(n, at + 4, (uint32_t)(value >> 32));
}

/* Until CSTS.RDY is as wanted, or the controller's own time is up, or it is gone. */
static bool wait_ready(const struct nvme *n, uint32_t wanted)
{
    uint64_t deadline = clock_now() + n->timeout_ns;

    for (;;) {
        uint32_t status = reg_read(n, REG_CSTS);

        if (status == UINT32_MAX || (wanted && (status & CSTS_FATAL)))
            return false;
        if ((status & CSTS_READY) == wanted)
            return true;
        if (clock_now() >= deadline)
            return false;
        event_alive();
    }
}

bool nvme_stop(struct nvme *n)
{
    uint32_t config = reg_read(n, REG_CC);

    if (config == UINT32_MAX)
        return false;
    reg_write(n, REG_CC, config & ~CC_ENABLE);
    return wait_ready(n, 0);
}

/* Admin commands, in any order, polled: there is nothing else to do. 0, or -XEN_EIO. */
static int admin(struct nvme *n, const struct nvme_command *commands, uint32_t count)
{
    uint64_t deadline = clock_now() + n->timeout_ns;
    int rc = 0;

    for (uint32_t i = 0; i < count; i++) {
        *nvme_queue_next(&n->admin) = commands[i];
        nvme_queue_push(&n->admin);
    }
    nvme_queue_kick(&n->admin);
    for (struct nvme_completion c; count > 0; count--) {
        while (!nvme_queue_take(&n->admin, &c)) {
            if (clock_now() >= deadline)
                return -XEN_EIO;
            event_alive();
        }
        if (c.status >> 1 != 0)
            rc = -XEN_EIO;
    }
    nvme_queue_done(&n->admin);
    return rc;
}

static struct nvme_command identify(uint32_t what, uint32_t nsid, const uint8_t *page)
{
    return (struct nvme_command){
        .opcode = ADMIN_IDENTIFY, .nsid = nsid, .prp1 = memory_dma_address(page), .word = {what}};
}

static uint64_t field(const uint8_t *page, uint32_t at, uint32_t bytes)
{
    uint64_t v = 0;

    for (uint32_t i = bytes; i-- > 0;)
        v = v << 8 | page[at + i];
    return v;
}

/* What the device says of itself is not believed beyond what we can do. */
static int identity_take(struct nvme *n, const struct nvme_identity *identity)
{
    struct blk_disk *blk = &n->disk.blk;
    const uint8_t *page = identity->controller;
    uint32_t most = NVME_PAGES_MAX * PAGE_SIZE;
    uint32_t mdts = page[77];

    n->transfer_max = mdts > 0 && mdts < 8 ? PAGE_SIZE << mdts : most;
    if (n->transfer_max > most)
        n->transfer_max = most;
    blk->has_flush = page[525] & 1;
    blk->has_discard = field(page, 520, 2) & ONCS_DISCARD;

    page = identity->namespace;

    uint32_t format = (uint32_t)field(page, 128 + 4u * (page[26] & 15), 4);
    uint64_t blocks = field(page, 0, 8);

    if (blocks == 0) {
        log_line("%s: there is no namespace 1", n->disk.name);
        return -XEN_ENODEV;
    }
    n->block_shift = format >> 16 & 0xff;
    if ((n->block_shift != 9 && n->block_shift != 12) || (format & 0xffff) != 0 ||
        blocks > UINT64_MAX >> n->block_shift) {
        log_line("%s: blocks of 2^%u bytes with %u bytes of metadata are not supported",
                 n->disk.name, n->block_shift, format & 0xffff);
        return -XEN_ENODEV;
    }
    blk->sector_size = blk->physical_sector_size = blk->discard_granularity = 1u << n->block_shift;
    blk->sectors = blocks << (n->block_shift - 9);
    return 0;
}

/* What does not depend on each other goes together; of a controller that is known nothing is asked.
 */
static int queues_create(struct nvme *n, struct nvme_identity *identity)
{
    struct nvme_command first[3] = {
        {.opcode = ADMIN_SET_FEATURES, .word = {FEATURE_QUEUES, 0}},
    };
    const struct nvme_command completion_queue = {
        .opcode = ADMIN_CREATE_CQ,
        .prp1 = memory_dma_address(n->io.completions),
        .word = {(n->io.depth - 1) << 16 | 1, 3}}; /* contiguous, interrupt on, vector 0 */
    const struct nvme_command submission_queue = {
        .opcode = ADMIN_CREATE_SQ,
        .prp1 = memory_dma_address(n->io.commands),
        .word = {(n->io.depth - 1) << 16 | 1, 1u << 16 | 1}};

    if (identity) {
        first[1] = identify(IDENTIFY_CONTROLLER, 0, identity->controller);
        first[2] = identify(IDENTIFY_NAMESPACE, 1, identity->namespace);
    }
    return admin(n, first, identity ? 3 : 1) == 0 && admin(n, &completion_queue, 1) == 0
               ? admin(n, &submission_queue, 1)
               : -XEN_EIO;
}

int nvme_start(struct nvme *n, struct nvme_identity *identity)
{
    nvme_queue_reset(&n->admin);
    nvme_queue_reset(&n->io);
    nvme_slots_init(n);
    pci_command(&n->function, PCI_COMMAND_MASTER, 0);
    reg_write(n, REG_AQA, (n->admin.depth - 1) << 16 | (n->admin.depth - 1));
    reg_write64(n, REG_ASQ, memory_dma_address(n->admin.commands));
    reg_write64(n, REG_ACQ, memory_dma_address(n->admin.completions));
    reg_write(n, REG_CC, CC_ENTRY_SIZES | CC_ENABLE);
    return wait_ready(n, CSTS_READY) && queues_create(n, identity) == 0 ? 0 : -XEN_EIO;
}

static bool queue_alloc(struct nvme *n, struct nvme_queue *q, uint32_t id, uint32_t depth,
                        uint32_t stride)
{
    volatile uint8_t *bells = n->registers + REG_DOORBELLS;

    q->commands = memory_pages_alloc(1);
    q->completions = memory_pages_alloc(1);
    q->depth = depth;
    q->tail_bell = bells + (size_t)(2 * id) * stride;
    q->head_bell = bells + (size_t)(2 * id + 1) * stride;
    return q->commands && q->completions;
}

/* Registers, and a controller that is stopped: nothing may reach memory before that. */
static const char *attach(struct nvme *n)
{
    struct pci_function *f = &n->function;

    pci_command(f, 0, PCI_COMMAND_MASTER);
    n->registers = pci_bar_map(f, 0, 0, REG_BYTES);
    if (!n->registers || pci_msix_open(&n->msix, f) < 0)
        return "has no registers or no MSI-X";
    pci_command(f, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, 0);

    uint32_t low = reg_read(n, REG_CAP), high = reg_read(n, REG_CAP + 4);
    uint32_t depth = (low & 0xffff) + 1, stride = 4u << (high & 15);

    n->timeout_ns = ((low >> 24) + 1) * 500000000ull;
    if (low == UINT32_MAX || (high >> 16 & 15) > 0)
        return "cannot use pages of 4 KiB";
    if (!nvme_stop(n))
        return "does not stop";
    if (depth < 8 || 4 * stride > REG_BYTES - REG_DOORBELLS)
        return "has impossible queues";
    if (depth > NVME_DEPTH)
        depth = NVME_DEPTH;
    n->lists = memory_pages_alloc((NVME_SLOTS * NVME_LIST_BYTES + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!n->lists || !queue_alloc(n, &n->admin, 0, NVME_ADMIN_DEPTH, stride) ||
        !queue_alloc(n, &n->io, 1, depth, stride))
        return "needs more memory than there is";
    return NULL;
}

static int irq_open(struct nvme *n)
{
    uint64_t address;
    uint32_t data;
    int irq = irq_alloc(&address, &data);

    if (irq < 0)
        return irq;
    pci_msix_set(&n->msix, 0, address, data);
    return 0;
}

static int nvme_open(const struct pci_function *f, const char *name, struct disk **disk)
{
    struct nvme *n = memory_pages_alloc((sizeof(*n) + PAGE_SIZE - 1) / PAGE_SIZE);
    struct nvme_identity *identity = memory_pages_alloc(IDENTITY_PAGES);
    const char *why = "needs more memory than there is";

    *disk = NULL;
    if (n)
        n->function = *f;
    if (n && identity) {
        (void)snprintf(n->disk.name, sizeof(n->disk.name), "%s", name);
        n->disk.blk.driver = &nvme_driver;
        why = attach(n);
    }
    if (!why) {
        /*
         * Queues want to be made with messages on; the one is masked until all that is
         * polled has been done, as each would cost an exit.
         */
        pci_msix_enable(&n->msix);
        if (nvme_start(n, identity) < 0)
            why = "does not start";
        else if (identity_take(n, identity) < 0)
            why = "has no usable namespace 1";
        else if (irq_open(n) < 0)
            why = "gets no interrupt";
    }
    if (identity)
        memory_pages_free(identity, IDENTITY_PAGES);
    if (why) {
        if (n)
            pci_command(&n->function, 0, PCI_COMMAND_MASTER);
        log_line("%s (%02x:%02x.%u): the controller %s", name, f->bus, f->slot, f->function, why);
        return -XEN_ENODEV;
    }
    *disk = &n->disk;
    return 0;
}

static bool nvme_matches(const struct pci_function *f)
{
    return f->class == 0x010802;
}

const struct disk_hardware nvme_hardware = {
    .what = "NVMe",
    .matches = nvme_matches,
    .open = nvme_open,
    .prefix = "nvme",
    .suffix = "n1",
    .part = "p",
};
