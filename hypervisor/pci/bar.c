/* Device memory in its owner's address space. */
#include <abi/layout.h>

#include <arch/tlb.h>

#include "domain/domain.h"
#include "mm/frame.h"
#include "pci/function.h"

/* Addresses inside the owner's window, each aligned to its size, as firmware would. */
void bar_place(struct pci_function *f, struct pci_space *space)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *bar = &f->bar[i];

        bar->guest = bar->mapped = 0;
        if (bar->size == 0)
            continue;
        uint64_t at = (space->next_bar + bar->size - 1) & ~(bar->size - 1);
        if (bar->size > LAYOUT_BAR_END - LAYOUT_BAR_BASE || at > LAYOUT_BAR_END - bar->size) {
            console_log("PCI %04x: no room for memory %u of %lx bytes", f->bdf, i, bar->size);
            continue;
        }
        bar->guest = at;
        space->next_bar = at + bar->size;
    }
}

/* Which BAR a register belongs to; bit 32 and up of one of two registers: *high. */
static unsigned bar_of(const struct pci_function *f, unsigned offset, bool *high)
{
    unsigned index = (offset - CONFIG_BAR) / 4;

    *high = index > 0 && f->bar[index - 1].wide;
    return *high ? index - 1 : index;
}

uint32_t bar_read(const struct pci_function *f, unsigned offset)
{
    bool high;
    const struct pci_bar *bar = &f->bar[bar_of(f, offset, &high)];

    if (bar->size == 0)
        return 0;
    return high ? (uint32_t)(bar->guest >> 32) : (uint32_t)bar->guest | bar->flags;
}

void bar_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask)
{
    bool high;
    struct pci_bar *bar = &f->bar[bar_of(f, offset, &high)];
    uint64_t bits = high ? (uint64_t)mask << 32 : mask;
    uint64_t wanted = high ? (uint64_t)value << 32 : value;

    if (bar->size == 0)
        return;
    /* The low bits are wired to zero: that is how the size is found. */
    bar->guest = ((bar->guest & ~bits) | (wanted & bits)) & ~(bar->size - 1);
    bar_update(f);
}

/* The MSI-X table's pages are never mapped: the core answers there. */
static bool is_trapped(const struct pci_function *f, unsigned index, uint64_t offset, uint64_t len)
{
    return f->msix.capability && f->msix.bar == index && offset < f->msix.end &&
           offset + len > f->msix.first;
}

/* The largest page that fits here. */
static unsigned order_at(const struct pci_function *f, unsigned index, uint64_t offset)
{
    const struct pci_bar *bar = &f->bar[index];
    uint64_t large = (uint64_t)PAGE_SIZE << FRAME_ORDER_2M;

    if (((bar->guest + offset) | (bar->host + offset)) & (large - 1) ||
        bar->size - offset < large || is_trapped(f, index, offset, large))
        return 0;
    return FRAME_ORDER_2M;
}

static void bar_unmap(struct pci_function *f, unsigned index)
{
    struct pci_bar *bar = &f->bar[index];
    uint64_t first = bar->host >> PAGE_SHIFT;

    for (uint64_t offset = 0; offset < bar->size; offset += PAGE_SIZE) {
        gfn_t gfn = gpa_gfn((gpa_t){bar->mapped + offset});
        enum p2m_type type;
        mfn_t mfn = p2m_lookup(&f->owner->p2m, gfn, &type);

        /* Only what this BAR put there. */
        if (type == P2M_DEVICE && mfn.v == first + (offset >> PAGE_SHIFT) &&
            p2m_take(&f->owner->p2m, gfn, P2M_ALL, &mfn, &type) < 0)
            console_log("PCI %04x: no memory to unmap", f->bdf);
    }
    bar->mapped = 0;
    tlb_flush_p2m(&f->owner->p2m);
}

static void bar_map(struct pci_function *f, unsigned index)
{
    struct pci_bar *bar = &f->bar[index];
    unsigned order;

    bar->mapped = bar->guest;
    for (uint64_t offset = 0; offset < bar->size; offset += (uint64_t)PAGE_SIZE << order) {
        order = order_at(f, index, offset);
        if (is_trapped(f, index, offset, (uint64_t)PAGE_SIZE << order))
            continue;
        int rc = p2m_map(&f->owner->p2m, gpa_gfn((gpa_t){bar->guest + offset}),
                         hpa_mfn((hpa_t){bar->host + offset}), order, P2M_DEVICE);
        if (rc < 0) {
            console_log("PCI %04x: memory %u cannot be mapped at %lx (error %d)", f->bdf, index,
                        bar->guest, -rc);
            bar_unmap(f, index);
            return;
        }
    }
}

static bool is_placed(const struct pci_bar *bar)
{
    return bar->size != 0 && bar->guest >= LAYOUT_BAR_BASE && bar->guest < LAYOUT_BAR_END &&
           bar->size <= LAYOUT_BAR_END - bar->guest;
}

void bar_update(struct pci_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *bar = &f->bar[i];
        bool wanted = (f->command & COMMAND_MEMORY) && is_placed(bar);

        if (bar->mapped && (!wanted || bar->mapped != bar->guest))
            bar_unmap(f, i);
        if (wanted && !bar->mapped)
            bar_map(f, i);
    }
}

int64_t bar_msix_offset(const struct pci_function *f, gpa_t at)
{
    uint64_t base = f->msix.capability ? f->bar[f->msix.bar].mapped : 0;

    if (base == 0 || at.v < base + f->msix.first || at.v >= base + f->msix.end)
        return -1;
    return (int64_t)(at.v - base - f->msix.first);
}
