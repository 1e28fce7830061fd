/* For tests: the rest of the core around PCI: a domain's memory, vectors, the IOMMU, the log. */
#include "pci/fake_machine.h"

#include <stdarg.h>
#include <stdio.h>
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
unsigned fake_vectors, fake_vectors_left, fake_mapped, fake_locks, fake_allocations;
struct fake_msi fake_msi;
bool fake_refused, fake_contains, fake_restarted;
unsigned fake_entries;

uint64_t fake_now = 1000000000;
static bool attached[FAKE_FUNCTIONS];
static char lines[4096]; /* what was logged last */
static size_t lines_len;
static bool entries[IOMMU_ENTRIES];
static struct {
    uint64_t gfn, mfn;
} pages[PAGES_MAX];

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
    return attached[bdf];
}

int iommu_attach(struct pci_function *f, struct p2m *p2m)
{
    EXPECT(p2m == &fake_domain.p2m && !fake_is_attached(f->bdf));
    EXPECT(f->owner == (fake_restarted ? &fake_domain : NULL));
    if (fake_refused)
        return -XEN_EPERM;
    attached[f->bdf] = true;
    return 0;
}

void iommu_detach(struct pci_function *f, bool silent)
{
    EXPECT(silent == f->fenced && (silent || fake_is_attached(f->bdf)));
    EXPECT(silent || !(config_read(f, CONFIG_COMMAND, 2) & COMMAND_MASTER));
    attached[f->bdf] = false;
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
    return fake_now;
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

int p2m_exchange(struct p2m *p2m, gfn_t gfn, uint32_t types, mfn_t by, mfn_t *mfn,
                 enum p2m_type *type)
{
    unsigned i = slot_of(gfn.v);

    (void)p2m, (void)types;
    EXPECT(mfn_is_none(by));
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
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(lines + lines_len, sizeof(lines) - lines_len, format, args);
    va_end(args);
    if (len > 0 && lines_len + (size_t)len + 1 < sizeof(lines)) {
        lines_len += (size_t)len;
        lines[lines_len++] = '\n';
    }
    lines[lines_len] = '\0';
}

unsigned fake_logged(const char *line)
{
    unsigned count = 0;

    for (const char *at = strstr(lines, line); at; at = strstr(at + 1, line))
        count++;
    return count;
}

void fake_reset(void)
{
    static bool scanned;

    if (!scanned) {
        fake_devices_make();
        fake_vectors_left = 100;
        pci_init();
        fake_devices_keep();
        scanned = true;
        fake_allocations = 0; /* the functions themselves stay */
    }
    fake_devices_restore();
    lines_len = 0;
    lines[0] = '\0';
    memset(&fake_domain, 0, sizeof(fake_domain));
    memset(fake_memory, 0, sizeof(fake_memory));
    for (unsigned i = 0; function_at(i); i++)
        function_at(i)->msix.shut = false;
    memset(&fake_msi, 0, sizeof(fake_msi));
    fake_vectors_left = 100;
    fake_refused = fake_contains = fake_restarted = false;
}
