/* A guest's accesses to configuration space and MSI-X tables, by port and by memory. */
#include <abi/layout.h>

#include "domain/domain.h"
#include "pci/function.h"
#include "pci/pci.h"
#include "vcpu/vcpu.h"

#define PORT_ADDRESS   0xcf8u
#define PORT_DATA      0xcfcu
#define ADDRESS_ENABLE (1u << 31)

static uint32_t mask_of(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (1u << (8 * size)) - 1;
}

/* At most four bytes that do not cross a dword; all-ones where there is no function. */
static uint32_t config_get(const struct domain *d, uint16_t bdf, unsigned offset, unsigned size)
{
    const struct pci_function *f = space_find(d->pci, bdf);

    if (!f || (offset & 3) + size > 4)
        return UINT32_MAX;
    return space_read(f, offset & ~3u) >> (8 * (offset & 3)) & mask_of(size);
}

static void config_set(const struct domain *d, uint16_t bdf, unsigned offset, unsigned size,
                       uint32_t value)
{
    struct pci_function *f = space_find(d->pci, bdf);
    unsigned shift = 8 * (offset & 3);

    if (f && (offset & 3) + size <= 4)
        space_write(f, offset & ~3u, value << shift, mask_of(size) << shift);
}

bool pci_port(struct vcpu *v, uint16_t port, uint8_t size, bool in, uint32_t *value)
{
    struct domain *d = v->domain;
    struct pci_space *space = d->pci;
    bool is_data = port >= PORT_DATA && port + size <= PORT_DATA + 4;

    if (!is_data && (port != PORT_ADDRESS || size != 4))
        return false;
    lock_acquire(&pci_lock);
    if (!is_data) {
        if (in)
            *value = space->address_port;
        else
            space->address_port = *value & ~0x7f000003u;
    } else if (space->address_port & ADDRESS_ENABLE) {
        uint16_t bdf = (uint16_t)(space->address_port >> 8);
        unsigned offset = (space->address_port & 0xfc) + (port - PORT_DATA);

        if (in)
            *value = config_get(d, bdf, offset, size);
        else
            config_set(d, bdf, offset, size, *value);
    } else if (in) {
        *value = UINT32_MAX;
    }
    lock_release(&pci_lock);
    return true;
}

static bool is_ecam(gpa_t at)
{
    return at.v >= LAYOUT_ECAM_BASE && at.v < LAYOUT_ECAM_END;
}

static struct pci_function *find_table(const struct domain *d, gpa_t at)
{
    list_for_each(node, &d->pci->functions)
    {
        struct pci_function *f = list_entry(node, struct pci_function, owned);

        if (bar_msix_offset(f, at) >= 0)
            return f;
    }
    return NULL;
}

bool pci_claims(const struct domain *d, gpa_t at)
{
    bool claimed = is_ecam(at);

    if (!claimed && at.v >= LAYOUT_BAR_BASE && at.v < LAYOUT_BAR_END) {
        lock_acquire(&pci_lock);
        claimed = find_table(d, at) != NULL;
        lock_release(&pci_lock);
    }
    return claimed;
}

static uint16_t ecam_bdf(gpa_t at)
{
    return (uint16_t)((at.v - LAYOUT_ECAM_BASE) >> PAGE_SHIFT);
}

/* Beside the table, on its pages, the device's own registers answer, size for size. */
static uint64_t device_get(const volatile uint8_t *at, unsigned size)
{
    switch (size) {
    case 1: return *at;
    case 2: return *(const volatile uint16_t *)(const volatile void *)at;
    case 4: return *(const volatile uint32_t *)(const volatile void *)at;
    default: return *(const volatile uint64_t *)(const volatile void *)at;
    }
}

static void device_set(volatile uint8_t *at, unsigned size, uint64_t value)
{
    switch (size) {
    case 1: *at = (uint8_t)value; return;
    case 2: *(volatile uint16_t *)(volatile void *)at = (uint16_t)value; return;
    case 4: *(volatile uint32_t *)(volatile void *)at = (uint32_t)value; return;
    default: *(volatile uint64_t *)(volatile void *)at = value; return;
    }
}

/* At most four bytes inside a dword of the table. */
static uint32_t table_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    return msix_table_read(f, offset & ~3u) >> (8 * (offset & 3)) & mask_of(size);
}

static void table_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    unsigned shift = 8 * (offset & 3);
    uint32_t mask = mask_of(size) << shift;

    msix_table_write(f, offset & ~3u,
                     (msix_table_read(f, offset & ~3u) & ~mask) | (value << shift & mask));
}

static uint64_t page_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    unsigned part = size < 4 ? size : 4;

    if (!msix_is_table(f, offset))
        return device_get(f->msix.pages + offset, size);
    if ((offset & 3) + part > 4)
        return UINT64_MAX;
    return table_get(f, offset, part) |
           (size == 8 ? (uint64_t)table_get(f, offset + 4, 4) << 32 : 0);
}

static void page_set(struct pci_function *f, unsigned offset, unsigned size, uint64_t value)
{
    unsigned part = size < 4 ? size : 4;

    if (!msix_is_table(f, offset)) {
        device_set(f->msix.pages + offset, size, value);
        return;
    }
    if ((offset & 3) + part > 4)
        return;
    table_set(f, offset, part, (uint32_t)value);
    if (size == 8)
        table_set(f, offset + 4, 4, (uint32_t)(value >> 32));
}

static uint64_t memory_get(const struct domain *d, gpa_t at, unsigned size)
{
    unsigned offset = (unsigned)at.v & PAGE_MASK;
    const struct pci_function *f;

    if (is_ecam(at))
        return size < 8 ? config_get(d, ecam_bdf(at), offset, size)
                        : config_get(d, ecam_bdf(at), offset, 4) |
                              (uint64_t)config_get(d, ecam_bdf(at), offset + 4, 4) << 32;
    f = find_table(d, at);
    return f ? page_get(f, (unsigned)bar_msix_offset(f, at), size) : UINT64_MAX;
}

static void memory_set(const struct domain *d, gpa_t at, unsigned size, uint64_t value)
{
    unsigned offset = (unsigned)at.v & PAGE_MASK;
    struct pci_function *f;

    if (is_ecam(at)) {
        config_set(d, ecam_bdf(at), offset, size < 4 ? size : 4, (uint32_t)value);
        if (size == 8)
            config_set(d, ecam_bdf(at), offset + 4, 4, (uint32_t)(value >> 32));
        return;
    }
    f = find_table(d, at);
    if (f)
        page_set(f, (unsigned)bar_msix_offset(f, at), size, value);
}

static uint64_t mmio_read(struct vcpu *v, gpa_t at, unsigned size)
{
    uint64_t value;

    lock_acquire(&pci_lock);
    value = memory_get(v->domain, at, size);
    lock_release(&pci_lock);
    return value;
}

static void mmio_write(struct vcpu *v, gpa_t at, unsigned size, uint64_t value)
{
    lock_acquire(&pci_lock);
    memory_set(v->domain, at, size, value);
    lock_release(&pci_lock);
}

const struct mmio_ops pci_mmio = {mmio_read, mmio_write};
