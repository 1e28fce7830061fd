/* A guest's accesses to configuration space and MSI-X tables, by port and by memory. */
#include <abi/layout.h>

#include "domain/domain.h"
#include "pci/function.h"
#include "pci/pci.h"
#include "vcpu/vcpu.h"

#define PORT_ADDRESS   0xcf8u
#define PORT_DATA      0xcfcu
#define ADDRESS_ENABLE (1u << 31)

/* Device memory as it is, size for size. */
uint64_t device_read(const volatile uint8_t *at, unsigned size)
{
    switch (size) {
    case 1: return *at;
    case 2: return *(const volatile uint16_t *)(const volatile void *)at;
    case 4: return *(const volatile uint32_t *)(const volatile void *)at;
    default: return *(const volatile uint64_t *)(const volatile void *)at;
    }
}

void device_write(volatile uint8_t *at, unsigned size, uint64_t value)
{
    switch (size) {
    case 1: *at = (uint8_t)value; return;
    case 2: *(volatile uint16_t *)(volatile void *)at = (uint16_t)value; return;
    case 4: *(volatile uint32_t *)(volatile void *)at = (uint32_t)value; return;
    default: *(volatile uint64_t *)(volatile void *)at = value; return;
    }
}

static bool is_ecam(uint64_t at)
{
    return at >= LAYOUT_ECAM_BASE && at < LAYOUT_ECAM_END;
}

/* Whose registers an address is, and where in them: configuration space, or its MSI-X table's
 * pages. */
static struct pci_function *find(const struct domain *d, uint64_t at, unsigned *offset)
{
    *offset = at & PAGE_MASK;
    if (is_ecam(at))
        return space_find(d->pci, (uint16_t)((at - LAYOUT_ECAM_BASE) >> PAGE_SHIFT));
    list_for_each (struct pci_function, f, &d->pci->functions, owned) {
        int64_t found = bar_msix_offset(f, (gpa_t){at});

        if (found >= 0) {
            *offset = (unsigned)found;
            return f;
        }
    }
    return NULL;
}

/* A register of configuration space or of a table; all-ones where there is no function. */
static uint32_t dword_read(const struct domain *d, uint64_t at)
{
    unsigned offset;
    const struct pci_function *f = find(d, at, &offset);

    if (!f)
        return UINT32_MAX;
    return is_ecam(at) ? space_read(f, offset) : msix_table_read(f, offset);
}

static void dword_write(const struct domain *d, uint64_t at, uint32_t value, uint32_t mask)
{
    unsigned offset;
    struct pci_function *f = find(d, at, &offset);

    if (f && is_ecam(at))
        space_write(f, offset, value, mask);
    else if (f)
        msix_table_write(f, offset, (msix_table_read(f, offset) & ~mask) | (value & mask));
}

/* Beside the table, on its pages, the device's own registers answer. */
static volatile uint8_t *beside_table(const struct domain *d, uint64_t at, unsigned size)
{
    unsigned offset;
    const struct pci_function *f = is_ecam(at) ? NULL : find(d, at, &offset);

    /* No byte of it may be the table's: a move can lie across its edge. */
    return f && !msix_is_table(f, offset) && !msix_is_table(f, offset + size - 1)
               ? f->msix.pages + offset
               : NULL;
}

/* Up to four bytes of one dword, or two dwords. */
static uint64_t access_read(const struct domain *d, uint64_t at, unsigned size)
{
    const volatile uint8_t *device = beside_table(d, at, size);

    if (device)
        return device_read(device, size);
    if ((at & 3) + (size < 4 ? size : 4) > 4)
        return UINT64_MAX;
    uint64_t value = dword_read(d, at & ~3ull) >> (8 * (at & 3)) & mmio_mask(size);
    return size < 8 ? value : value | (uint64_t)dword_read(d, at + 4) << 32;
}

static void access_write(const struct domain *d, uint64_t at, unsigned size, uint64_t value)
{
    volatile uint8_t *device = beside_table(d, at, size);
    unsigned shift = 8 * (unsigned)(at & 3);

    if (device) {
        device_write(device, size, value);
        return;
    }
    if ((at & 3) + (size < 4 ? size : 4) > 4)
        return;
    dword_write(d, at & ~3ull, (uint32_t)value << shift, (uint32_t)mmio_mask(size) << shift);
    if (size == 8)
        dword_write(d, at + 4, (uint32_t)(value >> 32), UINT32_MAX);
}

/* The old way to configuration space: an address in one port, data in the other. */
bool pci_port(struct vcpu *v, uint16_t port, unsigned size, bool in, uint32_t *value)
{
    struct pci_space *space = v->domain->pci;
    bool is_data = port >= PORT_DATA && port + size <= PORT_DATA + 4;

    if (!is_data && (port != PORT_ADDRESS || size != 4))
        return false;
    LOCK_SCOPE(&pci_lock);
    uint64_t at = LAYOUT_ECAM_BASE + ((uint64_t)(space->address_port >> 8 & 0xffff) << PAGE_SHIFT) +
                  (space->address_port & 0xfc) + (port & 3);
    if (!is_data && in)
        *value = space->address_port;
    else if (!is_data)
        space->address_port = *value & ~0x7f000003u;
    else if (!(space->address_port & ADDRESS_ENABLE))
        *value = in ? UINT32_MAX : *value;
    else if (in)
        *value = (uint32_t)access_read(v->domain, at, size);
    else
        access_write(v->domain, at, size, *value);
    return true;
}

bool pci_claims(const struct domain *d, gpa_t at)
{
    unsigned offset;

    if (is_ecam(at.v) || at.v < LAYOUT_BAR_BASE || at.v >= LAYOUT_BAR_END)
        return is_ecam(at.v);
    LOCK_SCOPE(&pci_lock);
    return find(d, at.v, &offset) != NULL;
}

static uint64_t mmio_read(struct vcpu *v, gpa_t at, unsigned size)
{
    LOCK_SCOPE(&pci_lock);
    return access_read(v->domain, at.v, size);
}

static void mmio_write(struct vcpu *v, gpa_t at, unsigned size, uint64_t value)
{
    LOCK_SCOPE(&pci_lock);
    access_write(v->domain, at.v, size, value);
}

const struct mmio_ops pci_mmio = {mmio_read, mmio_write};
