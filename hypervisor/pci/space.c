/* Configuration space as a function's owner sees it. */
#include "domain/domain.h"
#include "iommu/iommu.h"
#include "pci/function.h"

/* What an owner may set: memory decoding, mastering, errors, INTx off. */
#define COMMAND_OWNERS (COMMAND_MEMORY | COMMAND_MASTER | 1u << 6 | 1u << 8 | COMMAND_INTX_OFF)
#define STATUS_INTX    (1u << 19)

/*
 * Of the device control register: error reporting, relaxed ordering, no snoop,
 * request size. Not the payload size, which both ends must agree on, nor the
 * reset, after which the BARs would not be where we mapped them.
 */
#define PCIE_CONTROL_OWNERS 0x781fu
#define POWER_STATE         3u

static uint32_t read_command(const struct pci_function *f, unsigned)
{
    return f->command;
}

/* INTx stays off and memory decoding on, whatever the owner's own view is. */
static void write_command(struct pci_function *f, unsigned, uint32_t value, uint32_t mask)
{
    if (mask & 0xffff) {
        f->command = (uint16_t)((f->command & ~mask) | (value & mask & COMMAND_OWNERS));
        bar_update(f);
        if (f->fenced && (f->command & COMMAND_MASTER))
            f->fenced = iommu_attach(f, &f->owner->p2m) < 0; /* if memory ran out it stays so */
        config_write(f, CONFIG_COMMAND, 2,
                     f->command | COMMAND_MEMORY | COMMAND_INTX_OFF |
                         (f->fenced ? COMMAND_MASTER : 0));
    }
    if (mask & 0xffff0000u) /* status bits are cleared by ones */
        config_write(f, CONFIG_COMMAND + 2, 2, (value & mask) >> 16);
}

static uint32_t read_capabilities(const struct pci_function *f, unsigned)
{
    return f->first_capability;
}

static void write_pcie(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask)
{
    uint32_t old = config_read(f, offset, 2);

    mask &= 0xffff0000u | PCIE_CONTROL_OWNERS;
    if (mask & 0xffff)
        config_write(f, offset, 2, (old & ~mask) | (value & mask));
    if (mask & 0xffff0000u)
        config_write(f, offset + 2, 2, (value & mask) >> 16);
}

struct config_row {
    uint32_t device; /* bits that are read from the device; the rest is ours: */
    uint32_t (*read)(const struct pci_function *f, unsigned offset);
    void (*write)(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask);
};

static const struct config_row config_table[RULES] = {
    [RULE_HIDDEN] = {0, NULL, NULL},
    [RULE_READ] = {UINT32_MAX, NULL, NULL},
    [RULE_COMMAND] = {0xffff0000u & ~STATUS_INTX, read_command, write_command},
    [RULE_BAR] = {0, bar_read, bar_write},
    [RULE_CAPABILITIES] = {0, read_capabilities, NULL},
    [RULE_MSI] = {0, msi_read, msi_write},
    [RULE_MSIX] = {0, msix_control_read, msix_control_write},
    [RULE_PCIE_DEVICE] = {UINT32_MAX, NULL, write_pcie},
    /* Always in D0: the way back from D3 is a reset. */
    [RULE_POWER] = {~POWER_STATE, NULL, NULL},
};

struct pci_function *space_find(const struct pci_space *space, uint16_t bdf)
{
    struct pci_function *f = function_find(bdf);

    return f && f->owner && f->owner->pci == space ? f : NULL;
}

uint32_t space_read(const struct pci_function *f, unsigned offset)
{
    if (offset >= 0x100) /* no extended capabilities */
        return 0;
    const struct config_row *row = &config_table[f->rule[offset / 4]];
    uint32_t value = (row->device ? config_read(f, offset, 4) & row->device : 0) |
                     (row->read ? row->read(f, offset) : 0);
    uint8_t next = f->next[offset / 4];
    if (next != 0)
        value = (value & ~0xff00u) | (next == NEXT_LAST ? 0 : (uint32_t)next << 8);
    return value;
}

void space_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask)
{
    if (offset >= 0x100)
        return;
    const struct config_row *row = &config_table[f->rule[offset / 4]];
    if (row->write)
        row->write(f, offset, value, mask);
}
