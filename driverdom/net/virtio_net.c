/* A virtio network device (Virtio 1.1, section 5.1): modern, one pair of queues. */
#include "virtio_net.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/clock.h>
#include <rt/log.h>
#include <rt/memory.h>

#define DEVICE_TRANSITIONAL 0x1000u

#define CONFIG_MAC    0u
#define CONFIG_STATUS 6u
#define CONFIG_MTU    10u
#define CONFIG_BYTES  12u
#define STATUS_LINK   1u

#define CONTROL_NS      1000000000ull
#define CONTROL_RECEIVE 0u /* class */
#define CONTROL_PROMISC 0u /* command */
#define CONTROL_OK      0u

/* If the device does not say. */
#define MTU_USUAL 9000u

static struct virtio_net *of(struct nic *n)
{
    return (struct virtio_net *)n;
}

/* ---- link ------------------------------------------------------------------------------- */

static void link_look(struct virtio_net *v)
{
    bool up = !(v->virtio.features & VIRTIO_NET_F_STATUS) ||
              (mmio_read16(v->virtio.config + CONFIG_STATUS) & STATUS_LINK);

    nic_link_set(&v->nic, up, 0);
}

static void virtio_net_irq(struct nic *n, uint32_t number)
{
    struct virtio_net *v = of(n);

    /* While frames are looked for there is no need to be told of them. */
    if (number == VIRTIO_NET_IN)
        virtq_quiet(&v->in);
    else if (number == VIRTIO_NET_OUT)
        virtq_quiet(&v->out);
    else
        link_look(v);
}

static bool virtio_net_arm(struct nic *n)
{
    struct virtio_net *v = of(n);

    if (n->dead)
        return true;
    return virtq_loud(&v->in) && (n->out.out_count == 0 || virtq_loud(&v->out));
}

/* ---- start and stop --------------------------------------------------------------------- */

/* The port of a switch wants frames for everybody. A device without the command gives them. */
static bool promiscuous_set(struct virtio_net *v)
{
    const struct virtq_piece pieces[] = {
        {.address = memory_dma_address(v->command), .len = 3},
        {.address = memory_dma_address(v->command) + 3, .len = 1, .written = true},
    };
    uint64_t deadline = clock_now() + CONTROL_NS;
    uint32_t written;

    memcpy(v->command, (uint8_t[]){CONTROL_RECEIVE, CONTROL_PROMISC, 1, UINT8_MAX}, 4);
    (void)virtq_put(&v->control, pieces, 2);
    virtq_kick(&v->control);
    while (virtq_take(&v->control, &written) < 0)
        if (clock_now() >= deadline)
            return false;
    return shm_read8(v->command + 3) == CONTROL_OK;
}

static bool virtio_net_stop(struct nic *n)
{
    struct virtio_net *v = of(n);

    pci_command(&v->virtio.function, 0, PCI_COMMAND_MASTER);
    return virtio_reset(&v->virtio);
}

static int queue_start(struct virtio_net *v, struct virtq *q, uint16_t number, uint16_t vector,
                       const char **why)
{
    return q->descriptors ? virtq_start(q, &v->virtio, vector, why)
                          : virtq_open(q, &v->virtio, number, vector, why);
}

/* What is offered to senders follows from what the device takes. */
static void abilities_set(struct virtio_net *v)
{
    uint64_t has = v->virtio.features;
    uint16_t mtu = MTU_USUAL;

    if (has & VIRTIO_NET_F_MTU)
        mtu = mmio_read16(v->virtio.config + CONFIG_MTU);
    v->nic.port.abilities = (struct net_abilities){
        .checksum4 = has & VIRTIO_NET_F_CSUM,
        .checksum6 = has & VIRTIO_NET_F_CSUM,
        .gso4 = (has & VIRTIO_NET_F_CSUM) && (has & VIRTIO_NET_F_HOST_TSO4),
        .gso6 = (has & VIRTIO_NET_F_CSUM) && (has & VIRTIO_NET_F_HOST_TSO6),
        .scatter = true,
        .mtu = mtu,
    };
}

/* Frames longer than a buffer need a device that goes on in the next one. */
static int negotiate(struct virtio *io, const char **why)
{
    const uint64_t longer = VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6;
    int rc = virtio_negotiate(io, VIRTIO_NET_WANTED, why);

    if (rc < 0 || !(io->features & longer) || (io->features & VIRTIO_NET_F_MRG_RXBUF))
        return rc;
    *why = "does not reset";
    return virtio_reset(io) ? virtio_negotiate(io, VIRTIO_NET_WANTED & ~longer, why) : -XEN_EIO;
}

static const char *start(struct virtio_net *v)
{
    struct virtio *io = &v->virtio;
    const char *why;

    if (negotiate(io, &why) < 0)
        return why;
    if (!io->config || io->config_len < CONFIG_BYTES)
        return "says nothing of itself";
    nic_irqs_set(&v->nic, &io->msix);
    if (!virtio_config_vector(io, VIRTIO_NET_CHANGE))
        return "takes no interrupt for its link";
    pci_command(&io->function, PCI_COMMAND_MASTER, 0);
    if (queue_start(v, &v->in, 0, VIRTIO_NET_IN, &why) < 0 ||
        queue_start(v, &v->out, 1, VIRTIO_NET_OUT, &why) < 0 ||
        ((io->features & VIRTIO_NET_F_CTRL_RX) &&
         queue_start(v, &v->control, 2, VIRTIO_NET_OUT, &why) < 0))
        return why;
    abilities_set(v);
    virtio_net_rings_reset(v);
    virtio_ready(io);
    if ((io->features & VIRTIO_NET_F_CTRL_RX) && !promiscuous_set(v))
        return "does not let frames for others in";
    virtq_quiet(&v->out);
    virtio_net_refill(&v->nic);
    link_look(v);
    return NULL;
}

static bool virtio_net_start(struct nic *n)
{
    return start(of(n)) == NULL;
}

static const char *open_device(struct virtio_net *v, const struct pci_function *f)
{
    const char *why;

    if (virtio_open(&v->virtio, f, &why) < 0)
        return why;
    v->headers = memory_pages_alloc(1);
    v->command = memory_pages_alloc(1);
    if (!v->headers || !v->command)
        return "needs more memory than there is";
    if (v->virtio.msix.count < VIRTIO_NET_VECTORS || nic_irqs_open(&v->nic, VIRTIO_NET_VECTORS) < 0)
        return "gets no interrupts";
    return NULL;
}

static int refuse(struct virtio_net *v, const char *name, const struct pci_function *f,
                  const char *why)
{
    if (v)
        pci_command(&v->virtio.function, 0, PCI_COMMAND_MASTER);
    log_line("%s (%02x:%02x.%u): the device %s", name, f->bus, f->slot, f->function, why);
    return -XEN_ENODEV;
}

static int virtio_net_ready(struct nic *n)
{
    struct virtio_net *v = of(n);
    const char *why = start(v);

    if (why)
        return refuse(v, n->name, &v->virtio.function, why);
    for (uint32_t i = 0; i < 6 && (v->virtio.features & VIRTIO_NET_F_MAC); i++)
        n->mac[i] = mmio_read8(v->virtio.config + CONFIG_MAC + i);
    return 0;
}

static const struct nic_driver driver = {
    .ready = virtio_net_ready,
    .take = virtio_net_take,
    .refill = virtio_net_refill,
    .put = virtio_net_put,
    .kick = virtio_net_kick,
    .reap = virtio_net_reap,
    .arm = virtio_net_arm,
    .irq = virtio_net_irq,
    .stop = virtio_net_stop,
    .start = virtio_net_start,
};

static int virtio_net_open(const struct pci_function *f, const char *name, struct net_batch *batch,
                           struct nic **nic)
{
    struct virtio_net *v = nic_alloc(sizeof(*v), name, &driver, VIRTIO_NET_BUFFER, batch);
    const char *why = v ? open_device(v, f) : "needs more memory than there is";

    *nic = NULL;
    if (why)
        return refuse(v, name, f, why);
    *nic = &v->nic;
    return 0;
}

static bool virtio_net_matches(const struct pci_function *f)
{
    return f->vendor == VIRTIO_VENDOR &&
           (f->device == VIRTIO_DEVICE_MODERN + 1 || f->device == DEVICE_TRANSITIONAL);
}

const struct nic_hardware virtio_net_hardware = {
    .what = "virtio-net",
    .matches = virtio_net_matches,
    .open = virtio_net_open,
};
