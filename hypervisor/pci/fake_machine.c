/* For tests: a bus with devices on it, a domain's memory, and counters for what must balance. */
#include "pci/fake_machine.h"

#include <stdlib.h>
#include <string.h>

#include <arch/clock.h>
#include <arch/irq.h>
#include <arch/tlb.h>

#include "check.h"
#include "console/console.h"
#include "event/event.h"
#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/paging.h"
#include "pci/pci.h"
#include "vcpu/lapic.h"

#define PAGES_MAX 1024u

struct domain fake_domain;
uint8_t fake_memory[FAKE_MEMORY_LEN] __attribute__((aligned(4096)));
unsigned fake_vectors, fake_vectors_left, fake_mapped, fake_locks, fake_allocations, fake_resets;
struct fake_msi fake_msi;
bool fake_refused, fake_contains;
unsigned fake_entries;

static uint8_t bus[256 * PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t now;
static uint32_t attached; /* by device */
static bool entries[IOMMU_ENTRIES];
static struct {
    uint64_t gfn, mfn;
} pages[PAGES_MAX];

/* ---- devices ----------------------------------------------------------------- */

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
};

static uint8_t *config_of(uint16_t bdf)
{
    return bus + (size_t)bdf * PAGE_SIZE;
}

static void put(uint16_t bdf, unsigned offset, uint32_t value)
{
    memcpy(config_of(bdf) + offset, &value, sizeof(value));
}

uint32_t fake_config(uint16_t bdf, unsigned offset)
{
    uint32_t value;

    memcpy(&value, config_of(bdf) + offset, sizeof(value));
    return value;
}

static void devices_reset(void)
{
    memset(bus, 0xff, sizeof(bus));
    for (unsigned i = 0; i < 4; i++) {
        static const uint16_t all[] = {FAKE_NVME, FAKE_VIRTIO, FAKE_MSI, FAKE_BRIDGE};

        memset(config_of(all[i]), 0, PAGE_SIZE);
        put(all[i], 4, 0x00100407 & ~(i == 3 ? 0x100000u : 0));
    }
    put(FAKE_NVME, 0, 0x00101b36);
    put(FAKE_NVME, 8, 0x01080200);
    put(FAKE_NVME, 0x34, 0x40);
    put(FAKE_NVME, 0x3c, 0x010b);
    put(FAKE_NVME, 0x40, 0x00408011); /* MSI-X, 65 entries */
    put(FAKE_NVME, 0x44, 0x2000);
    put(FAKE_NVME, 0x48, 0x3000);
    put(FAKE_NVME, 0x80, 0x00026010); /* PCIe */
    put(FAKE_NVME, 0x84, 1u << 28);
    put(FAKE_NVME, 0x60, 0x00030001); /* power management */
    put(FAKE_VIRTIO, 0, 0x10421af4);
    put(FAKE_VIRTIO, 8, 0x01000001);
    put(FAKE_VIRTIO, 0x34, 0x98);
    put(FAKE_VIRTIO, 0x98, 0x00018411); /* MSI-X, 2 entries */
    put(FAKE_VIRTIO, 0x9c, 1);
    put(FAKE_VIRTIO, 0xa0, 0x801);
    put(FAKE_VIRTIO, 0x84, 0x05147009); /* vendor's, 20 bytes */
    put(FAKE_VIRTIO, 0x70, 0x00007013); /* not shown; its chain loops */
    put(FAKE_MSI, 0, 0x00018086);
    put(FAKE_MSI, 8, 0x02000000);
    put(FAKE_MSI, 0x34, 0x50);
    put(FAKE_MSI, 0x50, 0x018a0005); /* MSI, 64-bit, 32 messages, masks */
    put(FAKE_BRIDGE, 0, 0x29188086);
    put(FAKE_BRIDGE, 8, 0x06010002);
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
        put(bars[i].bdf, CONFIG_BAR + 4u * bars[i].bar, bars[i].value);
}

volatile uint8_t *config_bus(unsigned number)
{
    return number == 0 ? bus : NULL;
}

uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    EXPECT(offset % size == 0 && offset + size <= PAGE_SIZE);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)f->config[offset + i] << (8 * i);
    return value;
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    EXPECT(offset % size == 0 && offset + size <= PAGE_SIZE);
    if (f->bdf == FAKE_NVME && offset == 0x88 && (value & 0x8000)) {
        fake_resets++;
        value &= ~0x8000u;
    }
    if (offset >= CONFIG_BAR && offset < CONFIG_BAR + 24) {
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

void *paging_map_device(hpa_t address, size_t len)
{
    EXPECT(address.v >= FAKE_MEMORY && address.v + len <= FAKE_MEMORY + FAKE_MEMORY_LEN);
    return fake_memory + (address.v - FAKE_MEMORY);
}

enum frame_kind frame_kind(mfn_t mfn, uint16_t *owner)
{
    (void)owner;
    return mfn.v < 0x10000 ? FRAME_DOMAIN : FRAME_ABSENT;
}

/* ---- the rest of the core -------------------------------------------------------- */

int irq_vector_alloc(enum irq_kind kind, unsigned cookie)
{
    EXPECT(kind == IRQ_DEVICE);
    if (fake_vectors_left == 0)
        return -XEN_ENOSPC;
    fake_vectors_left--;
    fake_vectors++;
    return (int)(0x30 + cookie);
}

void irq_vector_free(int vector)
{
    (void)vector;
    fake_vectors--;
    fake_vectors_left++;
}

bool fake_is_attached(uint16_t bdf)
{
    return attached >> bdf / 8 & 1;
}

int iommu_attach(struct pci_function *f, struct p2m *p2m)
{
    EXPECT(p2m == &fake_domain.p2m && !f->owner && !fake_is_attached(f->bdf));
    if (fake_refused)
        return -XEN_EPERM;
    attached |= 1u << f->bdf / 8;
    return 0;
}

void iommu_detach(struct pci_function *f)
{
    EXPECT(fake_is_attached(f->bdf) && !(config_read(f, CONFIG_COMMAND, 2) & COMMAND_MASTER));
    attached &= ~(1u << f->bdf / 8);
}

bool iommu_is_on(void)
{
    return fake_contains;
}

struct iommu_message iommu_message_make(unsigned entry, uint16_t bdf, unsigned vector)
{
    EXPECT(entry < IOMMU_ENTRY_IOAPIC && fake_is_attached(bdf));
    fake_entries += !entries[entry];
    entries[entry] = true;
    return (struct iommu_message){0xfee00000, vector};
}

void iommu_message_drop(unsigned entry)
{
    fake_entries -= entries[entry];
    entries[entry] = false;
}

void lapic_msi(struct domain *d, uint64_t address, uint32_t data)
{
    EXPECT(d == &fake_domain);
    fake_msi.count++;
    fake_msi.address = address;
    fake_msi.data = data;
}

void event_raise_port(struct domain *d, uint32_t port)
{
    EXPECT(d == &fake_domain);
    fake_msi.port = port;
}

uint64_t clock_now(void)
{
    now += 100000000;
    return now;
}

static unsigned slot_of(uint64_t gfn)
{
    for (unsigned i = 0; i < PAGES_MAX; i++)
        if (pages[i].mfn && pages[i].gfn == gfn)
            return i;
    return PAGES_MAX;
}

int p2m_map(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type)
{
    EXPECT(p2m == &fake_domain.p2m && type == P2M_DEVICE);
    EXPECT(((gfn.v | mfn.v) & ((1u << order) - 1)) == 0);
    for (unsigned k = 0; k < 1u << order; k++)
        if (slot_of(gfn.v + k) != PAGES_MAX)
            return -XEN_EEXIST;
    for (unsigned k = 0, i = 0; k < 1u << order; k++) {
        while (pages[i].mfn)
            if (++i == PAGES_MAX)
                abort();
        pages[i].gfn = gfn.v + k;
        pages[i].mfn = mfn.v + k;
        fake_mapped++;
    }
    return 0;
}

int p2m_take(struct p2m *p2m, gfn_t gfn, uint32_t types, mfn_t *mfn, enum p2m_type *type)
{
    unsigned i = slot_of(gfn.v);

    (void)p2m, (void)types;
    *mfn = (mfn_t){FRAME_NONE};
    *type = P2M_EMPTY;
    if (i < PAGES_MAX) {
        *mfn = (mfn_t){pages[i].mfn};
        *type = P2M_DEVICE;
        pages[i].mfn = 0;
        fake_mapped--;
    }
    return 0;
}

mfn_t p2m_lookup(struct p2m *p2m, gfn_t gfn, enum p2m_type *type)
{
    unsigned i = slot_of(gfn.v);

    (void)p2m;
    *type = i < PAGES_MAX ? P2M_DEVICE : P2M_EMPTY;
    return (mfn_t){i < PAGES_MAX ? pages[i].mfn : FRAME_NONE};
}

uint64_t fake_lookup(uint64_t gpa)
{
    unsigned i = slot_of(gpa >> PAGE_SHIFT);

    return i < PAGES_MAX ? pages[i].mfn << PAGE_SHIFT : 0;
}

void tlb_flush_p2m(struct p2m *p2m)
{
    (void)p2m;
}

void *heap_alloc(size_t size)
{
    fake_allocations++;
    return calloc(1, size);
}

void heap_free(void *p)
{
    fake_allocations -= p != NULL;
    free(p);
}

void *pool_alloc(unsigned order)
{
    fake_allocations++;
    return calloc(PAGE_SIZE, (size_t)1 << order);
}

void pool_free(void *p, unsigned order)
{
    (void)order;
    fake_allocations--;
    free(p);
}

void lock_acquire(struct lock *lock)
{
    (void)lock;
    fake_locks++;
}

void lock_release(struct lock *lock)
{
    (void)lock;
    fake_locks--;
}

void console_log(const char *format, ...)
{
    (void)format;
}

void fake_reset(void)
{
    static bool scanned;

    if (!scanned) {
        devices_reset();
        fake_vectors_left = 100;
        pci_init();
        scanned = true;
        fake_allocations = 0; /* the functions themselves stay */
    }
    memset(&fake_domain, 0, sizeof(fake_domain));
    memset(fake_memory, 0, sizeof(fake_memory));
    memset(&fake_msi, 0, sizeof(fake_msi));
    fake_vectors_left = 100;
    fake_resets = 0;
    fake_refused = fake_contains = false;
}
