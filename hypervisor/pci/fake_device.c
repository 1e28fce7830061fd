/* For tests: PCI functions as devices: registers, and what resets do to them. */
#include <string.h>

#include "check.h"
#include "pci/fake_machine.h"

#define MS 1000000ull

static uint8_t buses[FAKE_FUNCTIONS * PAGE_SIZE] __attribute__((aligned(4096)));
static const uint16_t all[] = {FAKE_NVME, FAKE_VIRTIO, FAKE_MSI,  FAKE_BOTH,
                               FAKE_PORT, FAKE_BRIDGE, FAKE_PAIR, FAKE_PAIR + 1};
#define ALL (sizeof(all) / sizeof(all[0]))
static uint8_t kept[ALL][PAGE_SIZE];
static uint64_t held; /* ns: when the port's bus went into reset; 0: it is not */

static const struct fake_device first[] = {
    {.bdf = FAKE_NVME, .pcie = 0x80, .power = 0x60},
    {.bdf = FAKE_VIRTIO, .af = 0x70},
    {.bdf = FAKE_MSI},
    {.bdf = FAKE_BOTH},
    {.bdf = FAKE_PAIR, .power = 0x60},
    {.bdf = FAKE_PAIR + 1},
};
#define DEVICES (sizeof(first) / sizeof(first[0]))
static struct fake_device devices[DEVICES];

/* Bits that stay zero in a BAR: its size tells. By device and register. */
static const struct {
    uint16_t bdf;
    uint8_t bar;
    uint32_t value, mask;
} bars[] = {
    {FAKE_NVME, 0, (uint32_t)FAKE_MEMORY | 4, ~0x3fffu},
    {FAKE_NVME, 1, 0, ~0u},
    {FAKE_VIRTIO, 0, 0xc001, ~0x1fu},
    {FAKE_VIRTIO, 1, (uint32_t)FAKE_MEMORY + 0x4000, ~0xfffu},
    {FAKE_VIRTIO, 4, 0x0000000c, ~0x3fffu},
    {FAKE_VIRTIO, 5, 0x80, ~0u},
    {FAKE_MSI, 0, 0xe0000000, ~0x1fffffu},
    {FAKE_BOTH, 0, (uint32_t)FAKE_MEMORY + 0x9000, ~0xfffu},
    {FAKE_PAIR, 0, (uint32_t)FAKE_MEMORY + 0x8000, ~0xfffu},
};

static const struct {
    uint16_t bdf, offset;
    uint32_t value;
} registers[] = {
    {FAKE_NVME, 0, 0x00101b36},
    {FAKE_NVME, 8, 0x01080200},
    {FAKE_NVME, 0x34, 0x40},
    {FAKE_NVME, 0x3c, 0x010b},
    {FAKE_NVME, 0x40, 0x00408011}, /* MSI-X, 65 entries */
    {FAKE_NVME, 0x44, 0x2000},
    {FAKE_NVME, 0x48, 0x3000},
    {FAKE_NVME, 0x80, 0x00026010}, /* PCIe */
    {FAKE_NVME, 0x84, 1u << 28},
    {FAKE_NVME, 0x88, 0x2030},     /* packets of 256 bytes */
    {FAKE_NVME, 0x60, 0x00030001}, /* power management */
    {FAKE_NVME, 0x100, 0x14820001},
    {FAKE_NVME, 0x148, 0x1001000d}, /* access control; its chain loops */
    {FAKE_NVME, 0x14c, 0x0000005f},
    {FAKE_VIRTIO, 0, 0x10421af4},
    {FAKE_VIRTIO, 8, 0x01000001},
    {FAKE_VIRTIO, 0x34, 0x98},
    {FAKE_VIRTIO, 0x98, 0x00018411}, /* MSI-X, 2 entries */
    {FAKE_VIRTIO, 0x9c, 1},
    {FAKE_VIRTIO, 0xa0, 0x801},
    {FAKE_VIRTIO, 0x84, 0x05147009}, /* vendor's, 20 bytes */
    {FAKE_VIRTIO, 0x70, 0x03067013}, /* not shown; its chain loops */
    {FAKE_MSI, 0, 0x00018086},
    {FAKE_MSI, 8, 0x02000000},
    {FAKE_MSI, 0x34, 0x50},
    {FAKE_MSI, 0x50, 0x018a0005}, /* MSI, 64-bit, 32 messages, masks */
    {FAKE_BOTH, 0, 0x00041234},
    {FAKE_BOTH, 8, 0x02000000},
    {FAKE_BOTH, 0x34, 0x40},
    {FAKE_BOTH, 0x40, 0x00015011}, /* MSI-X, 2 entries */
    {FAKE_BOTH, 0x44, 0},
    {FAKE_BOTH, 0x48, 0x800},
    {FAKE_BOTH, 0x50, 0x00800005}, /* MSI, 64-bit */
    {FAKE_PORT, 0, 0x000c1b36},
    {FAKE_PORT, 8, 0x06040000},
    {FAKE_PORT, 0x0c, 0x00010000},
    {FAKE_PORT, 0x18, 0x00010100},
    {FAKE_PORT, 0x34, 0x54},
    {FAKE_PORT, 0x54, 0x00420010}, /* a root port */
    {FAKE_BRIDGE, 0, 0x29188086},
    {FAKE_BRIDGE, 4, 0x0407},
    {FAKE_BRIDGE, 8, 0x06010002},
    {FAKE_PAIR, 0, 0x00021234},
    {FAKE_PAIR, 8, 0x02000000},
    {FAKE_PAIR, 0x0c, 0x00800000},
    {FAKE_PAIR, 0x34, 0x60},
    {FAKE_PAIR, 0x60, 0x00030001},
    {FAKE_PAIR, 0x64, 8}, /* its state stays in D3 */
    {FAKE_PAIR + 1, 0, 0x00031234},
    {FAKE_PAIR + 1, 8, 0x04030000},
    {FAKE_PAIR + 1, 0x0c, 0x00800000},
};

static uint8_t *config_of(uint16_t bdf)
{
    return buses + (size_t)bdf * PAGE_SIZE;
}

void fake_config_set(uint16_t bdf, unsigned offset, uint32_t value)
{
    memcpy(config_of(bdf) + offset, &value, sizeof(value));
}

uint32_t fake_config(uint16_t bdf, unsigned offset)
{
    uint32_t value;

    memcpy(&value, config_of(bdf) + offset, sizeof(value));
    return value;
}

struct fake_device *fake_device(uint16_t bdf)
{
    for (size_t i = 0; i < DEVICES; i++)
        if (devices[i].bdf == bdf)
            return &devices[i];
    return NULL;
}

void fake_devices_make(void)
{
    memset(buses, 0xff, sizeof(buses));
    for (size_t i = 0; i < ALL; i++) {
        memset(config_of(all[i]), 0, PAGE_SIZE);
        fake_config_set(all[i], 4, 0x00100407);
    }
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        fake_config_set(registers[i].bdf, registers[i].offset, registers[i].value);
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
        fake_config_set(bars[i].bdf, CONFIG_BAR + 4u * bars[i].bar, bars[i].value);
    memcpy(devices, first, sizeof(devices));
}

void fake_devices_keep(void)
{
    for (size_t i = 0; i < ALL; i++)
        memcpy(kept[i], config_of(all[i]), PAGE_SIZE);
}

void fake_devices_restore(void)
{
    for (size_t i = 0; i < ALL; i++) {
        struct pci_function *f = function_find(all[i]);

        memcpy(config_of(all[i]), kept[i], PAGE_SIZE);
        f->id = fake_config(all[i], 0);
        f->reset_phase = RESET_NONE;
        f->unclean = false;
    }
    memcpy(devices, first, sizeof(devices));
    held = 0;
}

/* ---- resets ---------------------------------------------------------------------------- */

static void device_reset(struct fake_device *d, enum fake_way way, uint64_t quiet_ns)
{
    EXPECT(!function_find(d->bdf)->owner && !fake_is_attached(d->bdf));
    d->resets[way]++;
    d->used = false;
    d->quiet = fake_now + quiet_ns;
    d->back = d->away_ns > UINT64_MAX - d->quiet ? UINT64_MAX : d->quiet + d->away_ns;
    fake_config_set(d->bdf, 4, fake_config(d->bdf, 4) & 0xffff0000u);
    for (unsigned i = 0; i < PCI_BARS; i++)
        fake_config_set(d->bdf, CONFIG_BAR + 4 * i, 0);
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
        if (bars[i].bdf == d->bdf)
            fake_config_set(d->bdf, CONFIG_BAR + 4u * bars[i].bar,
                            bars[i].value & ~bars[i].mask & 0xf);
    if (d->bdf == FAKE_NVME)
        fake_config_set(FAKE_NVME, 0x40, 0x00408011);
    if (d->pcie && way != FAKE_BY_FLR) /* which leaves the size of packets as it is */
        fake_config_set(d->bdf, d->pcie + 8u, 0x2010);
}

static void flr_write(struct fake_device *d, unsigned offset, uint32_t *value)
{
    if (d->pcie && offset == d->pcie + 8u && (*value & 0x8000)) {
        EXPECT(fake_config(d->bdf, d->pcie + 4u) >> 28 & 1);
        device_reset(d, FAKE_BY_FLR, 100 * MS);
        *value &= 0x7fff;
    }
    if (d->af && offset == d->af + 4u && (*value & 1)) {
        EXPECT(fake_config(d->bdf, d->af) >> 25 & 1);
        device_reset(d, FAKE_BY_AF, 100 * MS);
        *value = 0;
    }
}

static void power_write(struct fake_device *d, uint32_t value)
{
    uint32_t old = fake_config(d->bdf, d->power + 4u);

    EXPECT(!(old & 8)); /* it would be of no use */
    if ((value & 3) == 3)
        d->quiet = fake_now + 10 * MS;
    else if ((old & 3) == 3)
        device_reset(d, FAKE_BY_POWER, 10 * MS);
}

static void port_write(uint32_t value)
{
    bool hold = value >> 6 & 1;

    if (hold && held == 0)
        held = fake_now;
    if (hold || held == 0)
        return;
    EXPECT(fake_now >= held + MS);
    held = 0;
    for (size_t i = 0; i < DEVICES; i++)
        if (devices[i].bdf >> 8 == 1)
            device_reset(&devices[i], FAKE_BY_BUS, 1000 * MS);
}

/* ---- the core's view ---------------------------------------------------------------------- */

volatile uint8_t *config_bus(unsigned number)
{
    return number < FAKE_FUNCTIONS >> 8 ? buses + number * 256 * PAGE_SIZE : NULL;
}

/* Whether it answers. */
static bool touch(const struct fake_device *d, unsigned offset, unsigned size)
{
    EXPECT(offset % size == 0 && offset + size <= PAGE_SIZE);
    EXPECT(!d || (fake_now >= d->quiet && !(held && d->bdf >> 8 == 1)));
    return !d || fake_now >= d->back;
}

uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size)
{
    const struct fake_device *d = fake_device(f->bdf);
    unsigned at = offset & ~3u;
    uint32_t value = touch(d, offset, size) ? fake_config(f->bdf, at) : UINT32_MAX;

    if (d && d->pcie && at == d->pcie + 8u && fake_now < d->pending)
        value |= 1u << 21;
    if (d && d->af && at == d->af + 4u && fake_now < d->pending)
        value |= 1u << 8;
    return (uint32_t)((uint64_t)value >> 8 * (offset & 3) & ((1ull << 8 * size) - 1));
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    struct fake_device *d = fake_device(f->bdf);

    if (!touch(d, offset, size))
        return;
    if (d)
        flr_write(d, offset, &value);
    if (d && d->power && offset == d->power + 4u)
        power_write(d, value);
    if (f->bdf == FAKE_PORT && offset == 0x3e)
        port_write(value);
    if (d && offset >= CONFIG_BAR && offset < CONFIG_BAR + 24) {
        uint32_t mask = 0, low = 0;

        for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
            if (bars[i].bdf == f->bdf && offset == CONFIG_BAR + 4u * bars[i].bar) {
                mask = bars[i].mask;
                low = bars[i].value & ~mask & 0xf;
            }
        value = (value & mask) | low;
    }
    for (unsigned i = 0; i < size; i++)
        f->config[offset + i] = (uint8_t)(value >> (8 * i));
}
