/* Starts an Intel 82574L: reset before bus mastering, one pair of rings, three messages. */
#include "e1000e.h"

#include <stdio.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/clock.h>
#include <rt/log.h>
#include <rt/memory.h>

#define INTEL     0x8086u
#define DEV_82574 0x10d3u

#define REG_CTRL     0x0000u
#define REG_STATUS   0x0008u
#define REG_CTRL_EXT 0x0018u
#define REG_VET      0x0038u
#define REG_ICR      0x00c0u
#define REG_IMC      0x00d8u
#define REG_EIAC     0x00dcu
#define REG_IAM      0x00e0u
#define REG_IVAR     0x00e4u
#define REG_EITR     0x00e8u /* one for each message */
#define REG_RCTL     0x0100u
#define REG_TCTL     0x0400u
#define REG_TIPG     0x0410u
#define REG_EXTCNF   0x0f00u
#define REG_RDBA     0x2800u
#define REG_RDLEN    0x2808u
#define REG_RDH      0x2810u
#define REG_RDTR     0x2820u
#define REG_RADV     0x282cu
#define REG_TDBA     0x3800u
#define REG_TDLEN    0x3808u
#define REG_TDH      0x3810u
#define REG_TIDV     0x3820u
#define REG_TXDCTL   0x3828u
#define REG_TADV     0x382cu
#define REG_RXCSUM   0x5000u
#define REG_RFCTL    0x5008u
#define REG_RAL      0x5400u
#define REG_RAH      0x5404u
#define REG_MRQC     0x5818u
#define REG_BYTES    0x6000u

#define CTRL_NO_MASTER  (1u << 2)
#define CTRL_LINK_UP    (1u << 6)
#define CTRL_FORCED     (3u << 11) /* speed and duplex */
#define CTRL_RESET      (1u << 26)
#define CTRL_VLAN       (1u << 30)
#define STATUS_LINK     (1u << 1)
#define STATUS_MASTER   (1u << 19)
#define CTRL_EXT_IAME   (1u << 27)
#define CTRL_EXT_DRIVER (1u << 28)
#define EXTCNF_OWNED    (1u << 5)
#define RAH_VALID       (1u << 31)

/* Everything: this is a port of a switch. Long frames, 2 KiB buffers, no checksum of Ethernet. */
#define RCTL_RUN   (1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 15 | 1u << 26)
/* On, short frames padded, the datasheet's collision values, several reads at a time. */
#define TCTL_RUN   (1u << 1 | 1u << 3 | 0x0fu << 4 | 0x3fu << 12 | 1u << 28)
/* Gaps for copper, again the datasheet's. */
#define TIPG_RUN   (8u | 8u << 10 | 6u << 20)
/* Descriptors counted one by one, written back at once, and a bit that has to be set. */
#define TXDCTL_RUN (1u << 22 | 1u << 24)
/* Extended descriptors; nothing of what TCP acknowledgements or storage would interrupt for. */
#define RFCTL_RUN  (1u << 0 | 1u << 6 | 1u << 7 | 1u << 12 | 1u << 15)
#define RXCSUM_RUN (1u << 8 | 1u << 9)
/* Messages 0, 1 and 2 for what comes in, went out, and the rest. */
#define IVAR_RUN   (8u | 9u << 8 | 10u << 16)

/*
 * Steps of 256 ns between two messages of a kind. The first after a pause comes
 * at once; under load, 4,000 a second, a round serves many frames. The rest can wait.
 */
#define EITR_FRAMES 976u
#define EITR_REST   0xffffu

#define STOP_NS  100000000ull
#define RESET_NS 1000000000ull
#define QUIET_NS 1000000ull /* no register is touched so long after a reset starts */

#define MTU_LONG 9000u

static uint32_t reg_read(const struct e1000e *e, uint32_t at)
{
    return mmio_read32(e->registers + at);
}

void e1000e_write(const struct e1000e *e, uint32_t at, uint32_t value)
{
    mmio_write32(e->registers + at, value);
}

static struct e1000e *of(struct nic *n)
{
    return (struct e1000e *)n;
}

/* Until the bits are as wanted or the time is up: whether they are. */
static bool wait_bits(const struct e1000e *e, uint32_t at, uint32_t mask, uint32_t wanted,
                      uint64_t ns)
{
    uint64_t deadline = clock_now() + ns;

    for (;;) {
        uint32_t value = reg_read(e, at);

        if (value == UINT32_MAX)
            return false;
        if ((value & mask) == wanted)
            return true;
        if (clock_now() >= deadline)
            return false;
    }
}

/* ---- link ------------------------------------------------------------------------------- */

static void link_look(struct e1000e *e)
{
    static const uint16_t speeds[] = {10, 100, 1000, 1000};
    uint32_t status = reg_read(e, REG_STATUS);
    bool up = status != UINT32_MAX && (status & STATUS_LINK);

    nic_link_set(&e->nic, up, up ? speeds[status >> 6 & 3] : 0);
}

static void e1000e_irq(struct nic *n, uint32_t number)
{
    struct e1000e *e = of(n);

    if (number == 1 && e->armed) {
        e->armed = false;
        e1000e_write(e, REG_IMC, E1000E_CAUSE_TX);
    }
    if (number == 2) {
        /* Causes of this message are only forgotten by hand. */
        e1000e_write(e, REG_ICR, ~(E1000E_CAUSE_RX | E1000E_CAUSE_TX));
        link_look(e);
    }
}

/*
 * What comes in always interrupts. For what goes out that is asked for only if
 * it still is on its way: mostly the device is done before anybody would sleep.
 */
static bool e1000e_arm(struct nic *n)
{
    struct e1000e *e = of(n);

    if (n->out.out_count > 0 && !e->armed) {
        e->armed = true;
        e1000e_write(e, E1000E_IMS, E1000E_CAUSE_TX);
    }
    return true;
}

/* ---- start and stop --------------------------------------------------------------------- */

static bool reset_begin(struct e1000e *e)
{
    pci_command(&e->function, 0, PCI_COMMAND_MASTER);
    if (reg_read(e, REG_STATUS) == UINT32_MAX)
        return false;
    e1000e_write(e, REG_IMC, UINT32_MAX);
    e1000e_write(e, REG_RCTL, 0);
    e1000e_write(e, REG_TCTL, 0);
    /* What it has begun on the bus should end first; if it does not, the reset ends it. */
    e1000e_write(e, REG_CTRL, reg_read(e, REG_CTRL) | CTRL_NO_MASTER);
    (void)wait_bits(e, REG_STATUS, STATUS_MASTER, 0, STOP_NS);
    /* The management firmware uses the PHY, too: it is asked to let go of it. */
    e1000e_write(e, REG_EXTCNF, reg_read(e, REG_EXTCNF) | EXTCNF_OWNED);
    (void)wait_bits(e, REG_EXTCNF, EXTCNF_OWNED, EXTCNF_OWNED, STOP_NS);

    e->rest_end = clock_now() + QUIET_NS;
    e1000e_write(e, REG_CTRL, reg_read(e, REG_CTRL) | CTRL_RESET);
    return true;
}

static bool reset_end(const struct e1000e *e)
{
    while (clock_now() < e->rest_end)
        ;
    if (!wait_bits(e, REG_CTRL, CTRL_RESET, 0, RESET_NS))
        return false;
    e1000e_write(e, REG_EXTCNF, reg_read(e, REG_EXTCNF) & ~EXTCNF_OWNED);
    e1000e_write(e, REG_IMC, UINT32_MAX);
    (void)reg_read(e, REG_ICR);
    return true;
}

static bool e1000e_stop(struct nic *n)
{
    struct e1000e *e = of(n);

    return reset_begin(e) && reset_end(e);
}

static void address_write(const struct e1000e *e, uint32_t at, const void *ring)
{
    uint64_t dma = memory_dma_address(ring);

    e1000e_write(e, at, (uint32_t)dma);
    e1000e_write(e, at + 4, (uint32_t)(dma >> 32));
}

/*
 * Every register that matters is written: not every model of this chip puts
 * them back at a reset.
 */
static bool e1000e_start(struct nic *n)
{
    struct e1000e *e = of(n);
    uint32_t control = reg_read(e, REG_CTRL) & ~(CTRL_FORCED | CTRL_VLAN | CTRL_NO_MASTER);
    const uint32_t rows[][2] = {
        {REG_CTRL_EXT, reg_read(e, REG_CTRL_EXT) | CTRL_EXT_DRIVER | CTRL_EXT_IAME},
        {REG_CTRL, control | CTRL_LINK_UP},
        {REG_VET, 0x8100},
        {REG_IAM, 0},
        {REG_EIAC, E1000E_CAUSE_RX | E1000E_CAUSE_TX},
        {REG_IVAR, IVAR_RUN},
        {REG_EITR, EITR_FRAMES},
        {REG_EITR + 4, EITR_FRAMES},
        {REG_EITR + 8, EITR_REST},
        {REG_RDTR, 0},
        {REG_RADV, 0},
        {REG_TIDV, 0},
        {REG_TADV, 0},
        {REG_MRQC, 0},
        {REG_RFCTL, RFCTL_RUN},
        {REG_RXCSUM, RXCSUM_RUN},
        {REG_RDLEN, E1000E_DEPTH * sizeof(struct e1000e_rx)},
        {REG_RDH, 0},
        {E1000E_RDT, 0},
        {REG_TDLEN, E1000E_DEPTH * sizeof(struct e1000e_tx)},
        {REG_TDH, 0},
        {E1000E_TDT, 0},
        {REG_TXDCTL, TXDCTL_RUN},
        {REG_TIPG, TIPG_RUN},
    };

    e1000e_rings_reset(e);
    address_write(e, REG_RDBA, e->rx);
    address_write(e, REG_TDBA, e->tx);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        e1000e_write(e, rows[i][0], rows[i][1]);
    nic_irqs_set(n, &e->msix);
    pci_command(&e->function, PCI_COMMAND_MASTER, 0);
    e1000e_write(e, REG_TCTL, TCTL_RUN);
    e1000e_write(e, REG_RCTL, RCTL_RUN);
    e1000e_refill(n);
    e->armed = false;
    e1000e_write(e, E1000E_IMS, E1000E_CAUSE_RX | E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK);
    link_look(e);
    return reg_read(e, REG_STATUS) != UINT32_MAX;
}

/* The card loads its address from its own memory at a reset. */
static bool address_read(struct e1000e *e)
{
    uint32_t low = reg_read(e, REG_RAL), high = reg_read(e, REG_RAH);
    uint8_t *mac = e->nic.mac;

    for (uint32_t i = 0; i < 6; i++)
        mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
    return (high & RAH_VALID) && !(mac[0] & 1) && (low | (high & 0xffff)) != 0;
}

static const char *attach(struct e1000e *e)
{
    struct pci_function *f = &e->function;

    pci_command(f, 0, PCI_COMMAND_MASTER);
    e->registers = pci_bar_map(f, 0, 0, REG_BYTES);
    if (!e->registers || pci_msix_open(&e->msix, f) < 0 || e->msix.count < E1000E_VECTORS)
        return "has no registers or too few messages";
    pci_command(f, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, 0);
    if (!reset_begin(e))
        return "does not reset";
    e->rx = memory_pages_alloc(1);
    e->tx = memory_pages_alloc(1);
    if (!e->rx || !e->tx)
        return "needs more memory than there is";
    return nic_irqs_open(&e->nic, E1000E_VECTORS) < 0 ? "gets no interrupts" : NULL;
}

static int refuse(struct e1000e *e, const char *name, const struct pci_function *f, const char *why)
{
    if (e)
        pci_command(&e->function, 0, PCI_COMMAND_MASTER);
    log_line("%s (%02x:%02x.%u): the card %s", name, f->bus, f->slot, f->function, why);
    return -XEN_ENODEV;
}

static int e1000e_ready(struct nic *n)
{
    struct e1000e *e = of(n);
    const char *why = NULL;

    if (!reset_end(e))
        why = "does not reset";
    else if (!address_read(e))
        why = "has no Ethernet address";
    else if (!e1000e_start(n))
        why = "does not start";
    return why ? refuse(e, n->name, &e->function, why) : 0;
}

static const struct nic_driver driver = {
    .ready = e1000e_ready,
    .take = e1000e_take,
    .refill = e1000e_refill,
    .put = e1000e_put,
    .kick = e1000e_kick,
    .reap = e1000e_reap,
    .arm = e1000e_arm,
    .irq = e1000e_irq,
    .stop = e1000e_stop,
    .start = e1000e_start,
};

/*
 * QEMU's card, which has no vendor of its own, cuts IPv6 frames into rubbish
 * before version 8; Intel's own boards say who made them.
 */
static bool is_emulated(const struct pci_function *f)
{
    return pci_read16(f, 0x2e) == 0;
}

static int e1000e_open(const struct pci_function *f, const char *name, struct net_batch *batch,
                       struct nic **nic)
{
    struct e1000e *e = nic_alloc(sizeof(*e), name, &driver, E1000E_BUFFER, batch);
    const char *why = "needs more memory than there is";

    *nic = NULL;
    if (e) {
        e->function = *f;
        e->nic.port.abilities = (struct net_abilities){.checksum4 = true,
                                                       .checksum6 = true,
                                                       .gso4 = true,
                                                       .gso6 = !is_emulated(f),
                                                       .scatter = true,
                                                       .mtu = MTU_LONG};
        why = attach(e);
    }
    if (why)
        return refuse(e, name, f, why);
    *nic = &e->nic;
    return 0;
}

static bool e1000e_matches(const struct pci_function *f)
{
    return f->vendor == INTEL && f->device == DEV_82574;
}

const struct nic_hardware e1000e_hardware = {
    .what = "e1000e",
    .matches = e1000e_matches,
    .open = e1000e_open,
};
